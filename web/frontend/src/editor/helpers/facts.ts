import { h } from "../../shared/dom";
import { either, known, number, t } from "../../shared/i18n";
import type { MadeWith, TypeRule } from "./requests";
import { WEIGHTS } from "./weights";

type Fact = readonly [string, Node | string];

const SHORT = 12;

/** A list of what and value. */
export function factList(facts: readonly Fact[]): HTMLElement {
  return h("dl", {}, ...facts.flatMap(([what, value]) => [h("dt", {}, what), h("dd", {}, value)]));
}

/** What a plan was made with and where it comes from. */
export function originFacts(info: MadeWith): Fact[] {
  const facts: Fact[] = [
    [t("fact_name"), info.name],
    [t("fact_status"), t(`status_${info.status}`)],
  ];
  for (const [key, value] of Object.entries(info.parameters)) {
    if (!known(`parameter_${key}`) || (typeof value !== "string" && typeof value !== "number")) continue;
    facts.push([t(`parameter_${key}`), key === "effort" ? t(`effort_${value}`) : String(value)]);
  }
  const dataset = h("code", { title: info.dataset }, info.dataset.slice(0, SHORT));
  facts.push([t("parameters_dataset"), dataset]);
  if (info.parent !== null) {
    facts.push([t("parameters_parent"), h("a", { href: `/plans/${info.parent.id}` }, t("parameters_parent_at", { n: info.parent.revision }))]);
  }
  return facts;
}

/** The standard in full: size, band, what may be cut, rules, levels and barriers. */
export function standardFacts({ standard }: MadeWith): Fact[] {
  const unit = t(`unit_${standard.measure}`);
  const facts: Fact[] = [
    [t("fact_standard"), either(standard.name_zh, standard.name_en)],
    [t("parameters_measure"), unit],
    [t("fact_target"), `${number(standard.target)} ${unit}`],
    [t("fact_range"), `${number(standard.min)}–${number(standard.max)} ${unit}`],
    [t("parameters_hard_max"), standard.hard_max === null ? t("parameters_none") : `${number(standard.hard_max)} ${unit}`],
    [t("parameters_split"), t(`split_${standard.split_compound}`)],
    [t("parameters_release"), t(`release_${standard.release}`)],
    [t("parameters_rules"), lines(standard.type_rules.map(rule))],
    [t("parameters_dedicated"), standard.dedicated.map((use) => t(`kind_${use}`)).join(either("、", ", ")) || t("parameters_none")],
    [t("parameters_barriers"), lines(Object.entries(standard.barriers).map(([name, how]) => `${t(`barrier_${name}`)} · ${t(`barrier_is_${how}`)}`)) || ""],
    [t("parameters_levels"), levels(standard)],
  ];
  return facts;
}

/** The weights of the aims, each with what it is for. */
export function weightList(): HTMLElement {
  const rows = Object.entries(WEIGHTS).map(([name, value]) => h("tr", {}, h("th", { scope: "row" }, t(`weight_${name}`)), h("td", {}, number(value, 2).replace("-", "−"))));
  return h("details", { class: "weights" }, h("summary", {}, t("parameters_weights")), h("p", { class: "caption" }, t("parameters_weights_hint")), h("table", {}, h("tbody", {}, ...rows)));
}

function lines(texts: readonly string[]): Node {
  if (texts.length === 0) return h("span", {}, t("parameters_none"));
  return h("ul", {}, ...texts.map((text) => h("li", {}, text)));
}

function rule({ compound_type, measure, target, one_compound_per_grid }: TypeRule): string {
  const size = target === null ? "" : ` ${number(target)} ${t(`unit_${measure}`)}`;
  return `${compound_type}${size}${one_compound_per_grid ? ` · ${t("parameters_one_each")}` : ""}`;
}

function levels(standard: MadeWith["standard"]): Node | string {
  const names = standard.levels.map((level) => (known(`level_${level}`) ? t(`level_${level}`) : level)).join(" › ");
  if (standard.sublevels.length === 0) return names;
  return lines([names, ...standard.sublevels.map((level) => `${either(level.name_zh, level.name_en)} ${number(level.target)}`)]);
}
