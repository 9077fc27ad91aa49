import { h } from "../../shared/dom";
import { either, known, number, t } from "../../shared/i18n";
import { SWITCHES } from "../map/style";
import type { Session } from "../session";
import type { Panel } from "./panel";

/** What the plan was made with, and what the map shows. */
export function parametersPanel(session: Session): Panel {
  const { standard, parameters, status, name } = session.info;
  const facts: [string, string][] = [
    [t("fact_name"), name],
    [t("fact_status"), t(`status_${status}`)],
    [t("fact_standard"), either(standard.name_zh, standard.name_en)],
    [t("fact_target"), `${number(standard.target)} ${t(`unit_${standard.measure}`)}`],
    [t("fact_range"), `${number(standard.min)}–${number(standard.max)} ${t(`unit_${standard.measure}`)}`],
  ];
  for (const [key, value] of Object.entries(parameters)) {
    if (known(`parameter_${key}`) && (typeof value === "string" || typeof value === "number")) facts.push([t(`parameter_${key}`), String(value)]);
  }
  const boxes = new Map<string, HTMLInputElement>();
  for (const layer of Object.keys(SWITCHES)) {
    boxes.set(layer, h("input", { type: "checkbox", change: (event) => turn(session, layer, event) }));
  }
  const element = h(
    "section",
    { class: "parameters" },
    h("h2", {}, t("made_with")),
    h("dl", {}, ...facts.flatMap(([what, value]) => [h("dt", {}, what), h("dd", {}, value)])),
    h("h2", {}, t("layers")),
    ...[...boxes].map(([layer, box]) => h("label", { class: "check" }, box, t(`layer_${layer}`))),
  );
  return {
    element,
    render(now): void {
      for (const [layer, box] of boxes) box.checked = now.layers.has(layer);
    },
  };
}

function turn({ store }: Session, layer: string, event: Event): void {
  const layers = new Set(store.now.layers);
  if (event.target instanceof HTMLInputElement && event.target.checked) layers.add(layer);
  else layers.delete(layer);
  store.set({ layers });
}
