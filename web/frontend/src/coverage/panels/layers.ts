import { h } from "../../shared/dom";
import { t } from "../i18n";
import type { Shade, State } from "../state";
import { choice } from "./choice";
import type { Context, Panel } from "./panel";

/** What the map shows. */
export function layersPanel({ store }: Context): Panel {
  const { overview } = store.now;
  const shades: Shade[] = ["buildings", "communities", ...(overview.grids ? (["grids"] as const) : [])];
  const shade = choice<Shade>(
    "shade",
    t("shade_by"),
    shades.map((value) => ({ value, text: t(`layer_${value}`) })),
    (value) => store.set({ shade: value }),
  );
  const drawn = ["compounds", "water", "roads", "railways", "communities", "grids"].filter((name) => overview.layers.includes(name));
  const names: (readonly [string, string])[] = [
    ["isochrones", t("isochrones")],
    ["wrong", t("wrong_circle")],
    ["stations", t("layer_stations")],
    ["gaps", t("layer_gaps")],
    ...(overview.counts.candidates > 0 ? [["candidates", t("layer_candidates")] as const] : []),
    ...drawn.map((name) => [name, t(`layer_${name}`)] as const),
  ];
  const boxes = names.map(([name, text]) => {
    const input = h("input", { type: "checkbox", "data-layer": name });
    input.addEventListener("change", () => {
      const layers = new Set(store.now.layers);
      if (input.checked) layers.add(name);
      else layers.delete(name);
      store.set({ layers });
    });
    return { name, input, label: h("label", { class: "check" }, input, text) };
  });
  const element = h(
    "details",
    { class: "overlay layers" },
    h("summary", {}, t("layers")),
    shade.element,
    h("div", { class: "checks" }, ...boxes.map((box) => box.label)),
  );
  const render = (now: State): void => {
    shade.set(now.shade);
    for (const { name, input } of boxes) input.checked = now.layers.has(name);
  };
  return { element, render };
}
