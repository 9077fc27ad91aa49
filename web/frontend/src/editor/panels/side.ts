import { h } from "../../shared/dom";
import { t } from "../../shared/i18n";
import type { Session } from "../session";
import { PANELS, type PanelName } from "../store";
import { comparePanel } from "./compare";
import { gridsPanel } from "./grids";
import { helpersPanel } from "./helpers";
import { historyPanel } from "./history";
import type { Panel } from "./panel";
import { parametersPanel } from "./parameters";
import { togetherPanel } from "./together";

const MAKE: Readonly<Record<PanelName, (session: Session) => Panel>> = {
  grids: gridsPanel,
  helpers: helpersPanel,
  history: historyPanel,
  compare: comparePanel,
  parameters: parametersPanel,
  together: togetherPanel,
};

/** The panels at the side, one open at a time; arrow keys go from tab to tab. */
export function sidePanels(session: Session): Panel {
  const { store } = session;
  const panels = PANELS.map((name) => [name, MAKE[name](session)] as const);
  const tabs = new Map<PanelName, HTMLButtonElement>();
  for (const name of PANELS) {
    const choose = (): void => store.set({ panel: name });
    tabs.set(name, h("button", { type: "button", role: "tab", id: `tab-${name}`, "aria-controls": `panel-${name}`, click: choose }, t(`panel_${name}`)));
  }
  const bar = h("div", { class: "tabs", role: "tablist", "aria-label": t("panels"), keydown: (event) => walk(event, store.now.panel) }, ...tabs.values());
  for (const [name, panel] of panels) {
    panel.element.id = `panel-${name}`;
    panel.element.setAttribute("role", "tabpanel");
    panel.element.setAttribute("aria-labelledby", `tab-${name}`);
  }
  const element = h("aside", { class: "side", "aria-label": t("panels") }, bar, ...panels.map(([, panel]) => panel.element));
  function walk(event: Event, from: PanelName): void {
    if (!(event instanceof KeyboardEvent)) return;
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step === undefined) return;
    const next = PANELS[(PANELS.indexOf(from) + step + PANELS.length) % PANELS.length] as PanelName;
    store.set({ panel: next });
    tabs.get(next)?.focus();
  }
  return {
    element,
    render(now, before): void {
      for (const [name, tab] of tabs) {
        tab.setAttribute("aria-selected", String(now.panel === name));
        tab.tabIndex = now.panel === name ? 0 : -1;
      }
      for (const [name, panel] of panels) {
        panel.element.hidden = now.panel !== name;
        if (now.panel === name) panel.render(now, before?.panel === name ? before : null);
      }
    },
  };
}
