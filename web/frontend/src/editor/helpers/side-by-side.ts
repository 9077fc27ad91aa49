import { h, say } from "../../shared/dom";
import { either, number, percent, t } from "../../shared/i18n";
import { ApiError } from "../api";
import { Offline } from "../model/sync";
import type { Session } from "../session";
import type { AlternativeRow, AlternativesDocument, Measure, Requests, Sketch } from "./requests";
import { adoption } from "./scope";
import { drawn } from "./sketch";

interface Made {
  readonly job: string;
  readonly document: AlternativesDocument;
  readonly sketches: Readonly<Record<string, Sketch>>;
}

const PRESENT = "present";

/** The alternatives beside the plan as it is: small maps, figures, and a button that takes one over. */
export function sideBySide(session: Session, requests: Requests, made: Made): HTMLDialogElement {
  const { document: said, sketches } = made;
  const status = h("p", { class: "caption", role: "status" });
  const columns = [{ id: PRESENT, name: t("alternatives_present"), why: t("alternatives_present_why") }, ...said.alternatives.map(column)];
  const close = h("button", { type: "button", class: "button", click: () => dialog.close() }, t("alternatives_close"));
  const use = (row: AlternativeRow): HTMLElement =>
    h("button", { type: "button", class: "button primary", "data-use": row.id, disabled: row.moved_cells === 0, click: () => void take(session, requests, made, row, { dialog, status }) }, t(said.community === null ? "alternatives_branch" : "alternatives_use"));
  const line = (name: string, cells: readonly (Node | string)[], best: ReadonlySet<number> = new Set()): HTMLElement =>
    h("tr", {}, h("th", { scope: "row" }, name), ...cells.map((cell, k) => h("td", { class: best.has(k) ? "best" : null }, cell)));
  const table = h(
    "table",
    {},
    h("thead", {}, h("tr", {}, h("td", {}), ...columns.map(({ name }) => h("th", { scope: "col" }, name)))),
    h(
      "tbody",
      {},
      h("tr", { class: "maps" }, h("td", {}), ...columns.map(({ id, name }) => h("td", {}, picture(sketches[id], name)))),
      h("tr", { class: "why" }, h("td", {}), ...columns.map(({ why }) => h("td", {}, why))),
      line(t("compare_grids"), [said.present, ...said.alternatives].map((row) => number(Number(row["grids"])))),
      ...said.measures.map((measure) => measured(said, measure, line)),
      line(t("alternatives_moved"), ["–", ...said.alternatives.map((row) => number(row.moved_households))]),
      h("tr", { class: "uses" }, h("td", {}), h("td", {}), ...said.alternatives.map((row) => h("td", {}, use(row)))),
    ),
  );
  const place = said.community === null ? null : session.plan.ground.communities[said.community]?.name;
  const dialog = h(
    "dialog",
    { class: "side-by-side", "aria-label": t("alternatives") },
    h("header", {}, h("h2", {}, place === null || place === undefined ? t("alternatives") : `${t("alternatives")} · ${place}`), close),
    h("p", { class: "caption" }, t("alternatives_hint")),
    h("div", { class: "scrolls" }, table),
    status,
  );
  return dialog;
}

function column(row: AlternativeRow): { id: string; name: string; why: string } {
  return { id: row.id, name: either(row.name_zh, row.name_en), why: either(row.why_zh, row.why_en) };
}

function picture(sketch: Sketch | undefined, name: string): Node | string {
  return sketch === undefined ? "" : drawn(sketch, name);
}

/** A line of the table; the best figures of the alternatives stand out. */
function measured(said: AlternativesDocument, measure: Measure, line: (name: string, cells: readonly string[], best: ReadonlySet<number>) => HTMLElement): HTMLElement {
  const values = [said.present, ...said.alternatives].map((row) => Number(row[measure.id]));
  const sign = measure.higher ? 1 : -1;
  const top = Math.max(...values.map((value) => sign * value));
  const best = new Set(values.flatMap((value, k) => (sign * value === top && new Set(values).size > 1 ? [k] : [])));
  const shown = values.map((value) => (measure.share ? percent(value) : number(value, Number.isInteger(value) ? 0 : 3)));
  return line(either(measure.zh, measure.en), shown, best);
}

/** Take an alternative over: of the whole plan as a plan of its own, of one community as a proposal on the map. */
async function take(session: Session, requests: Requests, made: Made, row: AlternativeRow, page: { dialog: HTMLDialogElement; status: HTMLElement }): Promise<void> {
  const { dialog, status } = page;
  try {
    if (made.document.community === null) {
      say(status, t("alternatives_branching"));
      const plan = await requests.branch(made.job, row.id);
      status.replaceChildren(t("alternatives_branched", { name: plan.name }), " ", h("a", { href: `/plans/${plan.id}` }, t("alternatives_open")));
      return;
    }
    const edit = adoption(session.plan, await requests.cells(made.job, row.id));
    dialog.close();
    if (edit === null) session.store.set({ hint: t("alternatives_same") });
    else await session.propose(edit);
  } catch (error) {
    if (!(error instanceof ApiError || error instanceof Offline)) throw error;
    say(status, error instanceof ApiError ? error.message : t("offline_needs"));
  }
}
