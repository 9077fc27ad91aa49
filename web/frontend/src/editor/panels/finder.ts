import { h, say } from "../../shared/dom";
import { t } from "../../shared/i18n";
import { at } from "../model/ground";
import { UNASSIGNED } from "../model/plan";
import type { Session } from "../session";
import type { Panel } from "./panel";

const MOST = 12;

interface Found {
  readonly text: string;
  readonly code?: string;
  readonly kind: "grid" | "compound" | "community";
  readonly cells: () => readonly number[];
  readonly grid: number | null;
}

/** Find a grid by code or name, a compound or a community, and go there. */
export function finder(session: Session): Panel {
  const list = h("ul", { class: "found", role: "listbox", id: "found", hidden: true });
  const none = h("p", { class: "caption", role: "status" });
  const field = h("input", {
    type: "search",
    placeholder: t("find"),
    "aria-label": t("find"),
    role: "combobox",
    "aria-controls": "found",
    "aria-expanded": "false",
    input: () => show(),
    keydown: (event) => keys(event),
  });
  const element = h("div", { class: "finder" }, field, list, none);
  function show(): void {
    const text = field.value.trim().toLowerCase();
    const found = text === "" ? [] : search(session, text);
    list.hidden = found.length === 0;
    field.setAttribute("aria-expanded", String(found.length > 0));
    list.replaceChildren(...found.map((one) => h("li", { role: "option" }, h("button", { type: "button", click: () => go(one) }, h("span", { class: "kind" }, t(`kind_${one.kind}`)), h("span", { class: "name" }, one.text), one.code === undefined ? null : h("span", { class: "code" }, one.code)))));
    say(none, text !== "" && found.length === 0 ? t("found_nothing") : "");
  }
  function go(one: Found): void {
    list.hidden = true;
    field.value = one.text;
    if (one.grid !== null) session.store.set({ chosen: new Set([one.grid]), grid: one.grid });
    session.goTo(one.cells());
  }
  function keys(event: Event): void {
    if (!(event instanceof KeyboardEvent)) return;
    if (event.key === "Escape") list.hidden = true;
    if (event.key === "Enter" || event.key === "ArrowDown") {
      const first = list.querySelector("button");
      if (event.key === "Enter") first?.click();
      else first?.focus();
      event.preventDefault();
    }
  }
  list.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const buttons = [...list.querySelectorAll("button")];
    const next = buttons[buttons.indexOf(document.activeElement as HTMLButtonElement) + step];
    (next ?? field).focus();
  });
  return { element, render: () => undefined };
}

function search({ plan }: Session, text: string): Found[] {
  const { ground } = plan;
  const grids = [...plan.grids.values()]
    .filter(({ code, name }) => `${code} ${name}`.toLowerCase().includes(text))
    .map((grid): Found => ({ kind: "grid", text: grid.name, code: grid.code, grid: grid.id, cells: () => plan.cellsOf(grid.id) }));
  const compounds = ground.compounds.flatMap(({ name }, row): Found[] => {
    const cells = (): number[] => Array.from(ground.compoundCells.subarray(at(ground.compoundPtr, row), at(ground.compoundPtr, row + 1)));
    const own = plan.assignment[cells()[0] ?? -1] ?? UNASSIGNED;
    return name.toLowerCase().includes(text) ? [{ kind: "compound", text: name, grid: own === UNASSIGNED ? null : own, cells }] : [];
  });
  const communities = ground.communities.flatMap(({ name }, row): Found[] => {
    const cells = (): number[] => Array.from(ground.community.keys()).filter((cell) => ground.community[cell] === row);
    return name.toLowerCase().includes(text) ? [{ kind: "community", text: name, grid: null, cells }] : [];
  });
  return [...communities, ...compounds, ...grids].slice(0, MOST);
}
