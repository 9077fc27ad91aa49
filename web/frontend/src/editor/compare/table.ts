import { h, say } from "../../shared/dom";
import { number, t } from "../../shared/i18n";
import type { Kind } from "./answer";

const ROW_PX = 30;
const SPARE = 6;

/** A line of the table: a grid with its main relative. */
export interface Line {
  readonly grid: number;
  readonly name: string;
  /** Code and name in full. */
  readonly title: string;
  readonly relative: string;
  readonly kind: Kind;
  readonly households: number;
  readonly moved: number;
}

export type Column = "name" | "relative" | "kind" | "households" | "moved";
const COLUMNS: readonly Column[] = ["name", "relative", "kind", "households", "moved"];

/** Sort lines by a column, and by grid where they are equal; keep those of some kinds, all when none is named. */
export function arranged(lines: readonly Line[], kinds: ReadonlySet<Kind>, column: Column, down: boolean): Line[] {
  const sign = down ? -1 : 1;
  return lines.filter(({ kind }) => kinds.size === 0 || kinds.has(kind)).sort((a, b) => sign * order(a[column], b[column]) || a.grid - b.grid);
}

/** The lineage of grids; only the lines in view are in the page. */
export class LineageTable {
  readonly element: HTMLElement;
  readonly #pick: (line: Line) => void;
  readonly #scroll = h("div", { class: "rows", tabindex: 0, role: "rowgroup" });
  readonly #tall = h("div", { class: "tall" });
  readonly #heads = new Map<Column, HTMLElement>();
  readonly #count = h("p", { class: "caption", role: "status" });
  #all: readonly Line[] = [];
  #lines: Line[] = [];
  #kinds: ReadonlySet<Kind> = new Set();
  #sort: { column: Column; down: boolean } = { column: "name", down: false };
  #picked: number | null = null;

  constructor(pick: (line: Line) => void) {
    this.#pick = pick;
    for (const column of COLUMNS) this.#heads.set(column, this.#head(column));
    this.#scroll.append(this.#tall);
    this.#scroll.addEventListener("scroll", () => this.#fill());
    this.#scroll.addEventListener("keydown", (event) => this.#walk(event));
    this.element = h(
      "div",
      { class: "grid-table lineage" },
      h("div", { class: "table", role: "table", "aria-label": t("lineage") }, h("div", { class: "row heads", role: "row" }, ...this.#heads.values()), this.#scroll),
      this.#count,
    );
    new ResizeObserver(() => this.#fill()).observe(this.#scroll);
  }

  /** Show other lines; `theirs` when they are the grids of the other plan. */
  show(lines: readonly Line[], theirs: boolean): void {
    this.#all = lines;
    this.element.classList.toggle("theirs", theirs);
    const head = this.#heads.get("relative")?.firstElementChild;
    if (head) say(head, t(theirs ? "lineage_to" : "lineage_from"));
    this.#list();
  }

  filter(kinds: ReadonlySet<Kind>): void {
    this.#kinds = kinds;
    this.#list();
  }

  /** Mark a line; none with null. */
  mark(grid: number | null): void {
    this.#picked = grid;
    this.#fill();
  }

  #list(): void {
    this.#lines = arranged(this.#all, this.#kinds, this.#sort.column, this.#sort.down);
    this.#tall.style.height = `${this.#lines.length * ROW_PX}px`;
    say(this.#count, t("compare_count", { shown: this.#lines.length, all: this.#all.length }));
    this.#fill();
  }

  #fill(): void {
    const first = Math.max(0, Math.floor(this.#scroll.scrollTop / ROW_PX) - SPARE);
    const last = Math.min(this.#lines.length, first + Math.ceil(this.#scroll.clientHeight / ROW_PX) + 2 * SPARE);
    this.#tall.replaceChildren(...this.#lines.slice(first, last).map((line, k) => this.#row(line, first + k)));
  }

  #row(line: Line, at: number): HTMLElement {
    const cells: Readonly<Record<Column, HTMLElement | string>> = {
      name: line.name,
      relative: line.relative,
      kind: h("span", { class: "kind", "data-kind": line.kind }, t(`kind_${line.kind}`)),
      households: number(line.households),
      moved: line.moved === 0 ? "–" : number(line.moved),
    };
    const row = h(
      "div",
      { class: "row", role: "row", "aria-rowindex": at + 1, "aria-selected": String(line.grid === this.#picked), "data-grid": line.grid, title: line.title, click: () => this.#choose(line) },
      ...COLUMNS.map((column) => h("span", { role: "cell", class: column }, cells[column])),
    );
    row.style.top = `${at * ROW_PX}px`;
    return row;
  }

  #choose(line: Line): void {
    this.mark(line.grid);
    this.#pick(line);
  }

  #walk(event: KeyboardEvent): void {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const at = this.#lines.findIndex(({ grid }) => grid === this.#picked) + step;
    const next = this.#lines[at];
    if (next === undefined) return;
    const { scrollTop, clientHeight } = this.#scroll;
    if (at * ROW_PX < scrollTop || (at + 1) * ROW_PX > scrollTop + clientHeight) this.#scroll.scrollTop = at * ROW_PX - clientHeight / 2;
    this.#choose(next);
  }

  #head(column: Column): HTMLElement {
    const name = column === "relative" ? "from" : column;
    const button = h("button", { type: "button", click: () => this.#order(column) }, t(`lineage_${name}`));
    return h("span", { role: "columnheader", class: column, "aria-sort": column === "name" ? "ascending" : "none" }, button);
  }

  #order(column: Column): void {
    this.#sort = { column, down: this.#sort.column === column && !this.#sort.down };
    for (const [name, head] of this.#heads) {
      head.setAttribute("aria-sort", name !== column ? "none" : this.#sort.down ? "descending" : "ascending");
    }
    this.#list();
  }
}

function order(a: string | number, b: string | number): number {
  return typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), "zh-CN", { numeric: true });
}
