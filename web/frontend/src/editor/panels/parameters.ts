import { h } from "../../shared/dom";
import { t } from "../../shared/i18n";
import { anotherPlan } from "../helpers/another";
import { factList, originFacts, standardFacts, weightList } from "../helpers/facts";
import type { MadeWith } from "../helpers/requests";
import { SWITCHES } from "../map/style";
import type { Session } from "../session";
import type { Panel } from "./panel";

/** What the plan was made with, how to make one with other parameters, and what the map shows. */
export function parametersPanel(session: Session): Panel {
  const info = session.info as MadeWith;
  const boxes = new Map<string, HTMLInputElement>();
  for (const layer of Object.keys(SWITCHES)) {
    boxes.set(layer, h("input", { type: "checkbox", change: (event) => turn(session, layer, event) }));
  }
  const revision = h("dd", {});
  const origin = factList(originFacts(info));
  origin.append(h("dt", {}, t("parameters_revision")), revision);
  const element = h(
    "section",
    { class: "parameters" },
    h("h2", {}, t("layers")),
    h("div", { class: "switches" }, ...[...boxes].map(([layer, box]) => h("label", { class: "check" }, box, t(`layer_${layer}`)))),
    h("h2", {}, t("made_with")),
    origin,
    h("h2", {}, t("fact_standard")),
    factList(standardFacts(info)),
    weightList(),
    info.may_edit ? anotherPlan(session) : null,
  );
  return {
    element,
    render(now): void {
      for (const [layer, box] of boxes) box.checked = now.layers.has(layer);
      revision.textContent = String(now.sync.revision);
    },
  };
}

function turn({ store }: Session, layer: string, event: Event): void {
  const layers = new Set(store.now.layers);
  if (event.target instanceof HTMLInputElement && event.target.checked) layers.add(layer);
  else layers.delete(layer);
  store.set({ layers });
}
