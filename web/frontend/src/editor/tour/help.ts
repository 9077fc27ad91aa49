import { h } from "../../shared/dom";
import { t } from "../../shared/i18n";
import { KEYS } from "../keys";
import { TOOLS } from "../store";

const MAP_KEYS: readonly (readonly [string, string])[] = [
  [".", "focus"],
  ["← ↑ ↓ →", "arrows"],
  ["Enter", "enter"],
  ["Alt+Enter", "alt_enter"],
  ["Shift+Enter", "shift_enter"],
  ["G", "pick"],
  ["[ ]", "size"],
  ["Space", "space"],
  ["Ctrl+Z / Ctrl+Y", "undo"],
  ["J / Shift+J", "next"],
  ["0", "whole"],
  ["Esc", "escape"],
];

/** The sheet of shortcuts; it opens the tour as well. */
export function helpSheet(tour: () => void): HTMLDialogElement {
  const close = h("button", { type: "button", class: "button", click: () => sheet.close() }, t("close"));
  const again = h("button", { type: "button", class: "button primary", "data-tour": true, click: () => {
    sheet.close();
    tour();
  } }, t("help_tour"));
  const sheet = h(
    "dialog",
    { class: "help-sheet", "aria-labelledby": "help-title" },
    h("h2", { id: "help-title" }, t("help_title")),
    h("div", { class: "columns" }, keys("help_tools", TOOLS.map((name) => [KEYS[name].toUpperCase(), t(`tool_${name}`)])), keys("help_map", MAP_KEYS.map(([key, word]) => [key, t(`help_${word}`)]))),
    h("div", { class: "inline end" }, again, close),
  );
  return sheet;
}

function keys(title: string, rows: readonly (readonly [string, string])[]): HTMLElement {
  return h("section", {}, h("h3", {}, t(title)), h("dl", {}, ...rows.flatMap(([key, text]) => [h("dt", {}, h("kbd", {}, key)), h("dd", {}, text)])));
}
