import { h } from "../../shared/dom";
import { t } from "../i18n";
import type { State } from "../state";
import type { Panel } from "./panel";

export interface Tab {
  readonly id: string;
  readonly text: string;
  readonly panel: Panel;
}

const STEPS: Readonly<Record<string, number>> = { ArrowLeft: -1, ArrowRight: 1 };

/** Panels behind tabs; arrow keys go from tab to tab. Only the one in front follows the state. */
export function tabs(list: readonly Tab[]): Panel {
  let front = 0;
  let last: State | null = null;
  const buttons = list.map(({ id, text }, k) =>
    h("button", { type: "button", role: "tab", id: `tab-${id}`, "aria-controls": `panel-${id}`, click: () => show(k) }, text),
  );
  const bodies = list.map(({ id, panel }) =>
    h("div", { role: "tabpanel", id: `panel-${id}`, "aria-labelledby": `tab-${id}`, tabindex: 0 }, panel.element),
  );
  const show = (k: number): void => {
    front = k;
    buttons.forEach((button, at) => {
      button.setAttribute("aria-selected", String(at === k));
      button.tabIndex = at === k ? 0 : -1;
    });
    bodies.forEach((body, at) => (body.hidden = at !== k));
    if (last !== null) list[k]?.panel.render(last);
  };
  const bar = h(
    "div",
    {
      role: "tablist",
      "aria-label": t("tabs"),
      keydown: (event) => {
        const step = event instanceof KeyboardEvent ? STEPS[event.key] : undefined;
        if (step === undefined) return;
        show((front + step + list.length) % list.length);
        buttons[front]?.focus();
      },
    },
    ...buttons,
  );
  show(0);
  return {
    element: h("div", { class: "tabs" }, bar, ...bodies),
    render: (now) => {
      last = now;
      list[front]?.panel.render(now);
    },
  };
}
