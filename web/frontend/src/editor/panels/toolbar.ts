import { h } from "../../shared/dom";
import { t } from "../../shared/i18n";
import { KEYS } from "../keys";
import { type State, type Store, TOOLS, type ToolName } from "../store";
import { icon } from "./icons";
import type { Panel } from "./panel";

const READING: readonly ToolName[] = ["select"];

/** The tools, one button each, in the order of their use; of a plan that can only be read, those that change nothing. */
export function toolbar(store: Store, open: boolean): Panel {
  const buttons = new Map<ToolName, HTMLButtonElement>();
  for (const name of open ? TOOLS : READING) {
    const label = `${t(`tool_${name}`)} (${KEYS[name].toUpperCase()})`;
    const button = h(
      "button",
      { type: "button", class: "tool", title: label, "aria-label": label, "aria-keyshortcuts": KEYS[name], "data-tool": name, click: () => store.set({ tool: name }) },
      icon(name),
      h("span", { class: "tool-name" }, t(`tool_${name}`)),
    );
    buttons.set(name, button);
  }
  const element = h("nav", { class: "toolbar", "aria-label": t("tools") }, ...buttons.values());
  return {
    element,
    render(now: State): void {
      if (!open && !buttons.has(now.tool)) store.set({ tool: "select", hint: t("read_only") });
      for (const [name, button] of buttons) button.setAttribute("aria-pressed", String(now.tool === name));
    },
  };
}
