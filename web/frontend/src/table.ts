import { one } from "./dom";

/** Make the table of grids sortable, searchable and reducible to what is out of band. */
export function enhanceTable(section: HTMLElement): void {
  const table = one(section, "table", HTMLTableElement);
  const body = one(table, "tbody", HTMLTableSectionElement);
  const rows = [...body.rows];
  const buttons = [...table.querySelectorAll<HTMLButtonElement>("button[data-sort]")];
  const tools = one(section, "[data-js]", HTMLElement);
  const onlyOut = one(tools, "[data-only-out]", HTMLInputElement);
  const search = one(tools, "[data-search]", HTMLInputElement);
  const count = one(tools, "[data-count]", HTMLElement);
  tools.hidden = false;

  const filter = (): void => {
    const wanted = search.value.trim().toLowerCase();
    let shown = 0;
    for (const row of rows) {
      const fits = (!onlyOut.checked || row.classList.contains("out")) && matches(row, wanted);
      row.hidden = !fits;
      shown += fits ? 1 : 0;
    }
    count.textContent = `${shown} / ${rows.length}`;
  };

  for (const button of buttons) {
    button.addEventListener("click", () => {
      const column = Number(button.dataset["sort"]);
      const header = button.closest("th");
      const descending = header?.getAttribute("aria-sort") === "ascending";
      for (const other of buttons) other.closest("th")?.removeAttribute("aria-sort");
      header?.setAttribute("aria-sort", descending ? "descending" : "ascending");
      const sign = descending ? -1 : 1;
      const ordered = [...rows].sort((a, b) => sign * compare(a.cells[column], b.cells[column]));
      body.append(...ordered);
    });
  }
  onlyOut.addEventListener("change", filter);
  search.addEventListener("input", filter);
  filter();
}

function matches(row: HTMLTableRowElement, wanted: string): boolean {
  if (wanted === "") return true;
  const text = `${row.cells[0]?.textContent ?? ""} ${row.cells[1]?.textContent ?? ""}`;
  return text.toLowerCase().includes(wanted);
}

const collator = new Intl.Collator(document.documentElement.lang, { numeric: true });

function compare(a: HTMLTableCellElement | undefined, b: HTMLTableCellElement | undefined): number {
  const [x, y] = [a?.dataset["value"], b?.dataset["value"]];
  if (x !== undefined && y !== undefined) return Number(x) - Number(y);
  return collator.compare(a?.textContent ?? "", b?.textContent ?? "");
}
