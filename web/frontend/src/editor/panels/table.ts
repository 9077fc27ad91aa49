import { h, say } from "../../shared/dom";
import { known, number, signed, t } from "../../shared/i18n";
import type { GridRecord, PlanModel } from "../model/plan";
import { problemsOf } from "../model/suggest";
import { shortCode } from "../paint";
import type { Session } from "../session";
import type { Panel } from "./panel";

const ROW_PX = 30;
const SPARE = 6;

type Column = "name" | "load" | "deviation" | "buildings" | "compactness" | "pieces";
const COLUMNS: readonly Column[] = ["name", "load", "deviation", "buildings", "compactness", "pieces"];

const COLLATOR = new Intl.Collator("zh-CN", { numeric: true });

interface Row {
  readonly grid: number;
  readonly code: string;
  readonly name: string;
  readonly load: number;
  readonly deviation: number;
  readonly buildings: number;
  readonly compactness: number;
  readonly pieces: number;
  readonly inBand: boolean;
  readonly problem: boolean;
}

/** Every grid in a table that sorts and filters; only the rows in view are in the page, so thousands stay smooth. */
export function gridTable(session: Session): Panel {
  return new GridTable(session);
}

class GridTable implements Panel {
  readonly element: HTMLElement;
  readonly #session: Session;
  readonly #scroll = h("div", { class: "rows", tabindex: 0, role: "rowgroup" });
  readonly #tall = h("div", { class: "tall" });
  readonly #heads = new Map<Column, HTMLElement>();
  readonly #count = h("p", { class: "caption", role: "status" });
  readonly #places = new Map<string, number>();
  #rows: Row[] = [];
  #sort: { column: Column; down: boolean } = { column: "name", down: false };
  #text = "";
  #only = false;
  #seen = -1;

  constructor(session: Session) {
    this.#session = session;
    for (const column of COLUMNS) this.#heads.set(column, this.#head(column));
    const search = h("input", { type: "search", placeholder: t("table_search"), "aria-label": t("table_search"), input: (event) => this.#filter(event) });
    const only = h("input", { type: "checkbox", change: (event) => this.#problems(event) });
    this.#scroll.append(this.#tall);
    this.#scroll.addEventListener("scroll", () => this.#fill());
    this.#scroll.addEventListener("keydown", (event) => this.#walk(event));
    this.element = h(
      "section",
      { class: "grid-table" },
      h("div", { class: "table-tools" }, search, h("label", { class: "check" }, only, t("only_problems"))),
      h("div", { class: "table", role: "table", "aria-label": t("grids") }, h("div", { class: "row heads", role: "row" }, ...this.#heads.values()), this.#scroll),
      this.#count,
    );
    new ResizeObserver(() => this.#fill()).observe(this.#scroll);
  }

  render(now: { version: number; chosen: ReadonlySet<number> }, before: { chosen: ReadonlySet<number> } | null): void {
    if (now.version !== this.#seen) {
      this.#seen = now.version;
      this.#list();
    }
    if (before !== null && now.chosen !== before.chosen) this.#toChosen(now.chosen);
    this.#fill();
  }

  #list(): void {
    const { plan } = this.#session;
    const text = this.#text.toLowerCase();
    const rows = [...plan.grids.keys()].map((grid) => rowOf(plan, grid));
    const kept = rows.filter((row) => (!this.#only || row.problem) && (text === "" || `${row.code} ${row.name}`.toLowerCase().includes(text)));
    const { column, down } = this.#sort;
    const sign = down ? -1 : 1;
    const of = column === "name" ? this.#ranks(rows) : (row: Row): number => row[column];
    this.#rows = kept.sort((a, b) => sign * (of(a) - of(b)) || a.grid - b.grid);
    this.#tall.style.height = `${this.#rows.length * ROW_PX}px`;
    say(this.#count, t("table_count", { shown: this.#rows.length, all: rows.length }));
  }

  /** Where the names stand in order: comparing them takes long, and they seldom change. */
  #ranks(rows: readonly Row[]): (row: Row) => number {
    if (rows.some(({ name }) => !this.#places.has(name))) {
      const names = [...new Set(rows.map(({ name }) => name))].sort(COLLATOR.compare);
      this.#places.clear();
      names.forEach((name, place) => this.#places.set(name, place));
    }
    return ({ name }) => this.#places.get(name) ?? 0;
  }

  #fill(): void {
    const first = Math.max(0, Math.floor(this.#scroll.scrollTop / ROW_PX) - SPARE);
    const last = Math.min(this.#rows.length, first + Math.ceil(this.#scroll.clientHeight / ROW_PX) + 2 * SPARE);
    const { chosen } = this.#session.store.now;
    this.#tall.replaceChildren(...this.#rows.slice(first, last).map((row, k) => this.#line(row, first + k, chosen.has(row.grid))));
  }

  #line(row: Row, at: number, chosen: boolean): HTMLElement {
    const line = h(
      "div",
      {
        class: `row${row.inBand ? "" : " off"}${row.pieces > 1 ? " loose" : ""}`,
        role: "row",
        "aria-rowindex": at + 1,
        "aria-selected": String(chosen),
        "data-grid": row.grid,
        title: `${row.code} ${row.name}`,
        click: (event) => this.#choose(row.grid, event instanceof MouseEvent && event.shiftKey),
      },
      ...COLUMNS.map((column) => h("span", { role: "cell", class: column }, shown(row, column))),
    );
    line.style.top = `${at * ROW_PX}px`;
    return line;
  }

  #choose(grid: number, more: boolean): void {
    const { store, plan } = this.#session;
    store.set({ chosen: new Set(more ? [...store.now.chosen, grid] : [grid]), grid });
    this.#session.goTo(plan.cellsOf(grid));
  }

  #toChosen(chosen: ReadonlySet<number>): void {
    const at = this.#rows.findIndex((row) => chosen.has(row.grid));
    if (at < 0) return;
    const { scrollTop, clientHeight } = this.#scroll;
    if (at * ROW_PX < scrollTop || (at + 1) * ROW_PX > scrollTop + clientHeight) this.#scroll.scrollTop = at * ROW_PX - clientHeight / 2;
  }

  #walk(event: KeyboardEvent): void {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const { chosen } = this.#session.store.now;
    const at = this.#rows.findIndex((row) => chosen.has(row.grid));
    const next = this.#rows[at + step];
    if (next !== undefined) this.#choose(next.grid, false);
  }

  #head(column: Column): HTMLElement {
    const button = h("button", { type: "button", title: t(`column_${column}`), click: () => this.#order(column) }, t(known(`head_${column}`) ? `head_${column}` : `column_${column}`));
    return h("span", { role: "columnheader", class: column, "aria-sort": column === "name" ? "ascending" : "none" }, button);
  }

  #order(column: Column): void {
    this.#sort = { column, down: this.#sort.column === column && !this.#sort.down };
    for (const [name, head] of this.#heads) {
      head.setAttribute("aria-sort", name !== column ? "none" : this.#sort.down ? "descending" : "ascending");
    }
    this.#list();
    this.#fill();
  }

  #filter(event: Event): void {
    this.#text = event.target instanceof HTMLInputElement ? event.target.value.trim() : "";
    this.#list();
    this.#fill();
  }

  #problems(event: Event): void {
    this.#only = event.target instanceof HTMLInputElement && event.target.checked;
    this.#list();
    this.#fill();
  }
}

function rowOf(plan: PlanModel, grid: number): Row {
  const { load, buildings, areaDm2, perimeterMm, pieces } = plan.figures(grid);
  const record = plan.grids.get(grid);
  const compactness = perimeterMm > 0 ? (4 * Math.PI * areaDm2 * 1e4) / perimeterMm ** 2 : 0;
  return {
    grid,
    code: record?.code ?? "",
    name: record === undefined ? "" : shortName(plan, record),
    load,
    deviation: load / plan.band.target - 1,
    buildings,
    compactness,
    pieces,
    inBand: plan.inBand(grid),
    problem: problemsOf(plan, grid).length > 0,
  };
}

/** A grid that has the name of its place and number needs no more than these; any other name is shown as it is. */
function shortName({ ground }: PlanModel, { name, code, community }: GridRecord): string {
  const place = ground.communities[community]?.name ?? "";
  return name === `${place}第${shortCode(code)}网格` ? `${place} ${shortCode(code)}` : name;
}

function shown(row: Row, column: Column): string {
  if (column === "deviation") return `${signed(Math.round(100 * row.deviation))} %`;
  if (column === "compactness") return number(row.compactness, 2);
  const value = row[column];
  return typeof value === "number" ? number(value) : value;
}
