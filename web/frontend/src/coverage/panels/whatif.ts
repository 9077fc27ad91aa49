import { h, say } from "../../shared/dom";
import { signed, t } from "../i18n";
import {
  type Edits,
  type State,
  type StationKey,
  type Tool,
  coveredOf,
  isChanged,
  moveStation,
  placed,
  removeStation,
  restoreStation,
} from "../state";
import type { Context, Panel } from "./panel";

const TOOLS: readonly Tool[] = ["station", "gate", "bridge", "path"];

/** Stations moved about, gates, bridges and paths that are not there yet, and what each gains. */
export function whatifPanel(context: Context): Panel {
  const { store } = context;
  const tools = TOOLS.map((tool) => ({
    tool,
    button: h(
      "button",
      {
        type: "button",
        class: "button",
        "data-tool": tool,
        "aria-pressed": "false",
        disabled: context.map === null,
        click: () => store.set({ tool: store.now.tool === tool ? null : tool }),
      },
      t(`add_${tool}`),
    ),
  }));
  const hint = h("p", { class: "hint", role: "status" });
  const undo = h("button", { type: "button", class: "button", click: () => store.undo() }, t("undo"));
  const redo = h("button", { type: "button", class: "button", click: () => store.redo() }, t("redo"));
  const reset = h("button", { type: "button", class: "button", click: () => store.reset() }, t("reset"));
  const station = stationForm(context);
  const log = h("ol", { class: "log" });
  const none = h("p", { class: "muted" }, t("no_changes_yet"));
  const removed = h("div", { class: "removed" });
  const element = h(
    "section",
    { class: "stack", "aria-label": t("whatif") },
    h("div", {}, h("h2", {}, t("whatif")), h("p", { class: "muted" }, t("drag_hint"))),
    h("div", { class: "buttons" }, ...tools.map(({ button }) => button)),
    hint,
    station.element,
    h("div", {}, h("h2", {}, t("history")), none, log, removed, h("div", { class: "buttons" }, undo, redo, reset)),
    h("p", { class: "muted" }, t("keyboard_hint")),
  );
  const render = (now: State): void => {
    for (const { tool, button } of tools) button.setAttribute("aria-pressed", String(now.tool === tool));
    hint.hidden = now.tool === null;
    say(hint, hintOf(now.tool));
    undo.disabled = now.past.length === 0;
    redo.disabled = now.future.length === 0;
    reset.disabled = !isChanged(now.edits);
    none.hidden = now.past.length > 0;
    log.replaceChildren(...steps(context, now));
    removed.replaceChildren(...[...now.edits.removed].map((row) => restoreButton(context, row)));
    station.render(now);
  };
  return { element, render };
}

function hintOf(tool: Tool | null): string {
  if (tool === "bridge" || tool === "path") return t("line_hint");
  return tool === null ? "" : t(tool === "station" ? "add_station_hint" : "gate_hint");
}

function restoreButton({ store }: Context, row: number): HTMLElement {
  const name = store.now.overview.stations[row]?.name ?? "";
  const back = (): void => store.change(restoreStation(store.now.edits, row));
  return h(
    "p",
    {},
    `${t("removed_stations")} ${name} `,
    h("button", { type: "button", class: "link", click: back }, t("restore_station")),
  );
}

/** One line a change, with the households it gained for the chosen category. */
function steps({ solver }: Context, now: State): HTMLElement[] {
  const line = [...now.past, now.edits];
  return line.slice(1).map((edits, k) => {
    const [a, b] = [solver.known.get(line[k] ?? edits), solver.known.get(edits)];
    const told = a !== undefined && b !== undefined && a.key === b.key;
    const category = now.question.category;
    const gain = told ? coveredOf(b.answer, category).covered - coveredOf(a.answer, category).covered : null;
    return h(
      "li",
      {},
      h("span", {}, describe(line[k] ?? edits, edits, now)),
      h("span", { class: gain !== null && gain < 0 ? "gain less" : "gain" }, gain === null ? "" : t("n_households", { n: signed(gain) })),
    );
  });
}

function describe(before: Edits, after: Edits, { overview }: State): string {
  if (!isChanged(after)) return t("change_reset");
  const sites = after.added.length - before.added.length;
  if (sites > 1) return t("change_sites", { n: sites });
  if (sites === 1) return t("change_added", { name: after.added.at(-1)?.name ?? "" });
  if (after.gates.length > before.gates.length) return t("change_gate");
  if (after.bridges.length > before.bridges.length) return t("change_bridge");
  if (after.paths.length > before.paths.length) return t("change_path");
  const nameOf = (row: number | undefined): string => (row === undefined ? "" : (overview.stations[row]?.name ?? ""));
  if (after.removed.size > before.removed.size) {
    return t("change_removed", { name: nameOf([...after.removed].find((row) => !before.removed.has(row))) });
  }
  if (after.removed.size < before.removed.size) {
    return `${t("restore_station")} ${nameOf([...before.removed].find((row) => !after.removed.has(row)))}`;
  }
  const moved = [...after.moved].find(([row, at]) => before.moved.get(row) !== at);
  if (moved !== undefined) return t("change_moved", { name: nameOf(moved[0]) });
  const other = after.added.find((item, k) => item !== before.added[k]) ?? before.added.at(-1);
  return sites < 0
    ? t("change_removed", { name: before.added.find((item) => !after.added.includes(item))?.name ?? "" })
    : t("change_moved", { name: other?.name ?? "" });
}

/** The chosen station: its place in numbers, for whoever does not drag. */
function stationForm({ store, map }: Context): Panel {
  const pick = h("select", {
    "aria-label": t("choose_station"),
    change: () => {
      const key = pick.value === "" ? null : (pick.value as StationKey);
      store.set({ station: key });
      const found = placed(store.now).find((item) => item.key === key);
      if (found !== undefined) map?.fly([found.lon, found.lat]);
    },
  });
  const lon = h("input", { type: "number", step: "any", min: -180, max: 180, required: true });
  const lat = h("input", { type: "number", step: "any", min: -90, max: 90, required: true });
  const remove = h(
    "button",
    {
      type: "button",
      class: "button",
      click: () => {
        const { station, edits } = store.now;
        if (station === null) return;
        store.set({ station: null });
        store.change(removeStation(edits, station));
      },
    },
    t("remove_station"),
  );
  const form = h(
    "form",
    {
      class: "place",
      submit: (event) => {
        event.preventDefault();
        const { station, edits } = store.now;
        if (station !== null) store.change(moveStation(edits, station, [lon.valueAsNumber, lat.valueAsNumber]));
      },
    },
    h("label", {}, t("longitude"), lon),
    h("label", {}, t("latitude"), lat),
    h("div", { class: "buttons" }, h("button", { class: "button" }, t("apply_position")), remove),
  );
  const element = h("div", {}, h("h2", {}, t("choose_station")), pick, form);
  let listed = "";
  const render = (now: State): void => {
    const stations = placed(now);
    const list = stations.map((item) => `${item.key}${item.name}`).join();
    if (list !== listed) {
      listed = list;
      const options = stations.map((item) => h("option", { value: item.key }, item.name));
      pick.replaceChildren(h("option", { value: "" }, t("choose_station_none")), ...options);
    }
    pick.value = now.station ?? "";
    const chosen = stations.find((item) => item.key === now.station);
    form.hidden = chosen === undefined;
    if (chosen === undefined) return;
    if (document.activeElement !== lon) lon.value = chosen.lon.toFixed(6);
    if (document.activeElement !== lat) lat.value = chosen.lat.toFixed(6);
  };
  return { element, render };
}
