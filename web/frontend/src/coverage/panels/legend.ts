import type { Reach } from "../api";
import { BEYOND, CLASSES, CLASS_FILLS, MIDDLE, NEAR, OFF, ON_ISLAND, SHARE_BREAKS, SHARE_FILLS, SHARE_OPACITY, UNREACHED, WITHIN, breaks } from "../classes";
import { h } from "../../shared/dom";
import { number, t } from "../i18n";
import type { State } from "../state";

/** The legend, with the households of every class. */
export class Legend {
  readonly element = h("section", { class: "legend", "aria-label": t("legend") });

  render(now: State, households: readonly number[], reach: Reach | null): void {
    const parts = now.shade === "buildings" ? this.#minutes(now, households) : this.#shares();
    const symbols = [...this.#symbols(now), ...this.#reach(now, reach)];
    this.element.replaceChildren(h("div", { class: "keys" }, ...parts), h("div", { class: "keys signs" }, ...symbols));
  }

  #minutes(now: State, households: readonly number[]): HTMLElement[] {
    const [near, middle, within] = breaks(now.question.minutes);
    const texts: Record<number, string> = {
      [NEAR]: t("within", { n: near }),
      [MIDDLE]: t("from_to", { from: near, to: middle }),
      [WITHIN]: t("from_to", { from: middle, to: within }),
      [BEYOND]: t("beyond", { n: within }),
      [UNREACHED]: t("unreached"),
      [OFF]: t("off_network"),
      [ON_ISLAND]: t("island"),
    };
    const always = new Set([NEAR, MIDDLE, WITHIN, BEYOND, UNREACHED]);
    const rows = Array.from({ length: CLASSES }, (_, k) => k)
      .filter((k) => always.has(k) || (households[k] ?? 0) > 0)
      .map((k) => row(swatch(CLASS_FILLS[k] ?? "", "round"), texts[k] ?? "", number(households[k] ?? 0)));
    return [h("p", { class: "caption" }, t("legend_caption")), ...rows];
  }

  #shares(): HTMLElement[] {
    const steps = SHARE_BREAKS.map((share) => Math.round(100 * share));
    const texts = [
      t("share_below", { n: steps[0] ?? 0 }),
      ...steps.slice(1).map((to, k) => t("share_from", { from: steps[k] ?? 0, to })),
      t("share_above", { n: steps.at(-1) ?? 0 }),
    ];
    const rows = SHARE_FILLS.map((fill, k) => row(swatch(fill, "square"), texts[k] ?? "", "")).reverse();
    return [h("p", { class: "caption" }, t("covered_share")), ...rows];
  }

  #symbols(now: State): HTMLElement[] {
    const rows: HTMLElement[] = [];
    if (now.layers.has("stations")) rows.push(row(h("span", { class: "mini badge-mini" }), t("layer_stations"), ""));
    if (now.edits.added.length > 0) rows.push(row(h("span", { class: "mini badge-mini proposed" }), `${t("layer_stations")} · ${t("proposed")}`, ""));
    if (now.layers.has("gaps")) rows.push(row(h("span", { class: "mini gap-mini" }), t("layer_gaps"), ""));
    if (now.layers.has("wrong") || now.answer?.method === "circle") rows.push(row(h("span", { class: "mini wrong-mini" }), t("show_circle_wrong"), ""));
    return rows;
  }

  #reach(now: State, reach: Reach | null): HTMLElement[] {
    if (!now.layers.has("isochrones") || reach === null) return [];
    const errors = reach.features.map((feature) => feature.properties.error);
    const parts = [row(h("span", { class: "mini reach-mini" }), t("isochrones"), "")];
    const [error] = errors;
    if (errors.length === 1 && error) {
      const text = t("isochrone_error", { wrong: error.claimed_in_wrong, missed: error.missed });
      parts.push(h("p", { class: "reach-error" }, text));
    }
    return parts;
  }
}

function row(mark: HTMLElement, text: string, value: string): HTMLElement {
  return h("p", { class: "key" }, mark, h("span", {}, text), h("span", { class: "num" }, value));
}

function swatch(fill: string, shape: string): HTMLElement {
  const element = h("span", { class: `mini ${shape}` });
  element.style.background = fill;
  if (shape === "square") element.style.opacity = String(SHARE_OPACITY);
  return element;
}
