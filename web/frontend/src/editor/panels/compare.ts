import { h, say } from "../../shared/dom";
import { number, percent, t } from "../../shared/i18n";
import { ApiError, type PlanEntry, type PlanInfo } from "../api";
import { aligned } from "../compare/align";
import { type Comparison, type Kind, NEW_KINDS, OLD_KINDS } from "../compare/answer";
import { choices, linesOf, planName } from "../compare/labels";
import { Overlay } from "../compare/overlay";
import { type OtherPlan, Swipe } from "../compare/swipe";
import { LineageTable, type Line } from "../compare/table";
import { at } from "../model/ground";
import type { GridRecord } from "../model/plan";
import { Offline } from "../model/sync";
import type { Session } from "../session";
import type { State } from "../store";
import type { Panel } from "./panel";

/** Strokes follow quickly on one another: figures wait for a pause. */
const REDRAW_MS = 150;
const ASK_MS = 600;

/** The plan that is compared with, on the cells of this one. */
interface Other extends OtherPlan {
  readonly id: string;
  readonly records: ReadonlyMap<number, GridRecord>;
}

/** This plan beside another one on the same data: figures, lineage, and what changed on the map. */
export function comparePanel(session: Session): Panel {
  return new ComparePanel(session);
}

class ComparePanel implements Panel {
  readonly element: HTMLElement;
  readonly #session: Session;
  readonly #choice = h("select", { id: "compare-choice", change: () => void this.#choose(this.#choice.value) });
  readonly #status = h("p", { class: "caption", role: "status" });
  readonly #none = h("div", { class: "empty", hidden: true }, h("p", {}, t("compare_none")), h("p", { class: "caption" }, t("compare_none_hint")));
  readonly #facts = h("dl", { class: "facts" });
  readonly #chips = h("div", { class: "chips", role: "group", "aria-label": t("compare_kinds") });
  readonly #sides: readonly HTMLButtonElement[];
  readonly #hatch = h("input", { type: "checkbox", checked: true, change: () => this.#overlay?.show("hatch", this.#hatch.checked) });
  readonly #hatchText = h("span", {});
  readonly #borders = h("input", { type: "checkbox", checked: true, change: () => this.#overlay?.show("borders", this.#borders.checked) });
  readonly #swipeButton = h("button", { type: "button", class: "button small", "aria-pressed": "false", title: t("compare_swipe_hint"), click: () => void this.#turnSwipe() }, t("compare_swipe"));
  readonly #download = h("a", { class: "button small", download: "" }, t("compare_download"));
  readonly #table: LineageTable;
  readonly #found: HTMLElement;
  #entered = false;
  #asked = 0;
  #other: Other | null = null;
  #answer: Comparison | null = null;
  #overlay: Overlay | null = null;
  #swipe: Swipe | null = null;
  #theirs = false;
  #kinds = new Set<Kind>();
  #seen = { version: -1, revision: -1 };
  #redraw = 0;
  #ask = 0;

  constructor(session: Session) {
    this.#session = session;
    this.#table = new LineageTable((line) => this.#goTo(line));
    this.#sides = [false, true].map((theirs) => h("button", { type: "button", "aria-pressed": String(!theirs), click: () => this.#showSide(theirs) }, t(theirs ? "compare_theirs" : "compare_ours")));
    const key = (name: string): HTMLElement => h("i", { class: `key ${name}`, "aria-hidden": "true" });
    this.#found = h(
      "div",
      { class: "found-out", hidden: true },
      this.#facts,
      h(
        "div",
        { class: "on-map", role: "group", "aria-label": t("compare_on_map") },
        h("label", { class: "check" }, this.#hatch, key("hatch"), this.#hatchText),
        h("label", { class: "check" }, this.#borders, key("theirs"), t("compare_borders")),
      ),
      h("div", { class: "acts" }, this.#swipeButton, this.#download),
      h("div", { class: "sides", role: "group", "aria-label": t("compare_side") }, ...this.#sides),
      this.#chips,
      this.#table.element,
    );
    this.element = h(
      "section",
      { class: "compare" },
      h("div", { class: "choice" }, h("label", { for: "compare-choice" }, t("compare_with")), this.#choice),
      this.#status,
      this.#none,
      this.#found,
    );
    session.store.subscribe((now, before) => this.#watch(now, before));
  }

  render(now: State): void {
    if (!this.#entered) {
      this.#entered = true;
      void this.#enter();
    }
    if (this.#overlay === null) return;
    if (now.version !== this.#seen.version) {
      window.clearTimeout(this.#redraw);
      this.#redraw = window.setTimeout(() => this.#redrawn(), REDRAW_MS);
    }
    if (now.sync.revision !== this.#seen.revision) {
      this.#seen.revision = now.sync.revision;
      window.clearTimeout(this.#ask);
      this.#ask = window.setTimeout(() => void this.#compare(this.#asked), ASK_MS);
    }
  }

  /** Leave the map as it was when another panel opens; a tool that draws ends the swipe. */
  #watch(now: State, before: State): void {
    if (now.panel !== "compare" && this.#entered) this.#leave();
    if (now.tool !== before.tool && now.tool !== "select") this.#endSwipe();
    if (now.layers !== before.layers) this.#swipe?.layers(now.layers);
  }

  #leave(): void {
    this.#entered = false;
    this.#clear();
    this.#found.hidden = true;
  }

  async #enter(): Promise<void> {
    const { api, info } = this.#session;
    const asked = ++this.#asked;
    await this.#telling(async () => {
      const plans = choices(await api.plans(info.project), info);
      if (asked !== this.#asked) return;
      const before = this.#choice.value;
      this.#choice.replaceChildren(...plans.map((plan) => h("option", { value: plan.id }, optionOf(plan))));
      const wanted = plans.find(({ id }) => id === before) ?? plans[0];
      this.#none.hidden = wanted !== undefined;
      this.#choice.disabled = wanted === undefined;
      if (wanted === undefined) return;
      this.#choice.value = wanted.id;
      await this.#choose(wanted.id);
    });
  }

  async #choose(id: string): Promise<void> {
    this.#clear();
    const asked = ++this.#asked;
    this.#found.hidden = true;
    say(this.#status, t("compare_loading"));
    await this.#telling(async () => {
      const other = await this.#load(id);
      if (asked !== this.#asked) return;
      this.#other = other;
      this.#overlay = new Overlay(this.#session.map, this.#session.plan, other.cells);
      this.#overlay.show("hatch", this.#hatch.checked);
      this.#overlay.show("borders", this.#borders.checked);
      this.#seen.revision = this.#session.store.now.sync.revision;
      this.#redrawn();
      this.#download.setAttribute("href", this.#session.api.crosswalkUrl(id));
      await this.#compare(asked);
    });
  }

  async #load(id: string): Promise<Other> {
    const { api, info, plan, map } = this.#session;
    const asked = api.of(id);
    const [theirs, { cells }, grids] = await Promise.all([asked.info() as Promise<PlanInfo & PlanEntry>, asked.assignment(), asked.grids()]);
    const base = map.tiles.layers["cells"]?.rows ?? plan.ground.cells;
    return {
      id,
      name: planName(theirs),
      band: theirs.standard,
      cells: aligned(base, { cells: plan.assignment, divisions: info.divisions }, { cells, divisions: theirs.divisions }),
      grids,
      records: new Map(grids.map((grid) => [grid.id, grid])),
    };
  }

  async #compare(asked: number): Promise<void> {
    const other = this.#other;
    if (other === null) return;
    await this.#telling(async () => {
      const answer = await this.#session.api.comparison(other.id);
      if (asked !== this.#asked) return;
      this.#answer = answer;
      say(this.#status, "");
      this.#found.hidden = false;
      this.#figures(answer);
      this.#showSide(this.#theirs);
    });
  }

  async #telling(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof ApiError || error instanceof Offline)) throw error;
      say(this.#status, error instanceof Offline ? t("offline_needs") : error.message);
    }
  }

  #figures({ summary }: Comparison): void {
    const moved = h("dd", {}, h("strong", {}, number(summary.households_moved)), ` ${t("compare_share", { share: percent(summary.share_moved) })}`);
    this.#facts.replaceChildren(
      h("div", {}, h("dt", {}, t("compare_grids")), h("dd", {}, h("strong", {}, `${number(summary.other_grids)} → ${number(summary.grids)}`))),
      h("div", { title: t("compare_moved_hint") }, h("dt", {}, t("compare_moved")), moved),
    );
  }

  #showSide(theirs: boolean): void {
    if (theirs !== this.#theirs) this.#kinds.clear();
    this.#theirs = theirs;
    this.#sides.forEach((button, k) => button.setAttribute("aria-pressed", String((k === 1) === theirs)));
    const [answer, other] = [this.#answer, this.#other];
    if (answer === null || other === null) return;
    const { ground, grids } = this.#session.plan;
    const own = { side: grids, others: other.records };
    const lines = theirs
      ? linesOf(answer.other_grids, answer.grids, ground.communities, { side: other.records, others: grids })
      : linesOf(answer.grids, answer.other_grids, ground.communities, own);
    this.#drawChips(theirs ? OLD_KINDS : NEW_KINDS, theirs ? answer.summary.other_kinds : answer.summary.kinds);
    this.#table.show(lines, theirs);
    this.#table.filter(this.#kinds);
  }

  #drawChips(kinds: readonly Kind[], counts: Readonly<Record<string, number>>): void {
    const chips = kinds.map((kind) =>
      h(
        "button",
        { type: "button", class: "chip", "data-kind": kind, title: t(`kind_${kind}_hint`), "aria-pressed": String(this.#kinds.has(kind)), click: (event) => this.#filter(kind, event) },
        h("span", { class: "kind", "data-kind": kind }, t(`kind_${kind}`)),
        h("strong", {}, number(counts[kind] ?? 0)),
      ),
    );
    this.#chips.replaceChildren(...chips);
  }

  #filter(kind: Kind, event: Event): void {
    if (!this.#kinds.delete(kind)) this.#kinds.add(kind);
    if (event.currentTarget instanceof HTMLElement) event.currentTarget.setAttribute("aria-pressed", String(this.#kinds.has(kind)));
    this.#table.filter(this.#kinds);
  }

  #goTo(line: Line): void {
    const { plan, store } = this.#session;
    const [answer, other] = [this.#answer, this.#other];
    if (answer === null || other === null) return;
    const main = (this.#theirs ? answer.other_grids : answer.grids).find(({ id }) => id === line.grid)?.main ?? null;
    const [own, theirs] = this.#theirs ? [main, line.grid] : [line.grid, main];
    this.#overlay?.pick(theirs);
    store.set({ chosen: new Set(own === null ? [] : [own]), grid: own });
    this.#session.goTo(this.#theirs ? cellsIn(other.cells, line.grid) : plan.cellsOf(line.grid));
  }

  #redrawn(): void {
    this.#seen.version = this.#session.store.now.version;
    if (this.#overlay !== null) say(this.#hatchText, t("compare_hatch", { n: this.#overlay.update() }));
  }

  async #turnSwipe(): Promise<void> {
    if (this.#swipe !== null) {
      this.#endSwipe();
      return;
    }
    const other = this.#other;
    if (other === null) return;
    this.#session.store.set({ tool: "select", hint: t("compare_swipe_hint") });
    const swipe = new Swipe(this.#session, other, () => {
      this.#endSwipe();
      this.#swipeButton.focus();
    });
    this.#swipe = swipe;
    this.#swipeButton.setAttribute("aria-pressed", "true");
    swipe.focus();
    await swipe.ready(other);
  }

  #endSwipe(): void {
    const { store } = this.#session;
    if (this.#swipe !== null && store.now.hint === t("compare_swipe_hint")) store.set({ hint: "" });
    this.#swipe?.remove();
    this.#swipe = null;
    this.#swipeButton.setAttribute("aria-pressed", "false");
  }

  #clear(): void {
    this.#asked += 1;
    window.clearTimeout(this.#redraw);
    window.clearTimeout(this.#ask);
    this.#endSwipe();
    this.#overlay?.remove();
    this.#overlay = null;
    this.#other = null;
    this.#answer = null;
    this.#table.mark(null);
  }
}

function optionOf(plan: PlanEntry): string {
  const grids = plan.summary["grids"];
  return grids === undefined ? planName(plan) : `${planName(plan)} · ${number(grids)}`;
}

function cellsIn(cells: Int32Array, grid: number): number[] {
  const found: number[] = [];
  for (let cell = 0; cell < cells.length; cell += 1) if (at(cells, cell) === grid) found.push(cell);
  return found;
}
