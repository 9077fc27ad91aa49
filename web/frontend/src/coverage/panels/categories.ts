import { stationColour } from "../classes";
import { h, say, wide } from "../../shared/dom";
import { percent, signed, t } from "../i18n";
import { coveredOf } from "../state";
import type { Context, Panel } from "./panel";

/** The categories, each with the share it covers. */
export function categoriesPanel({ store }: Context): Panel {
  const { categories } = store.now.overview;
  const rows = [null, ...categories].map((category) => {
    const id = category?.id ?? null;
    const input = h("input", { type: "radio", name: "category", value: String(id ?? ""), change: () => store.ask({ category: id }) });
    const share = h("span", { class: "share" });
    const delta = h("span", { class: "delta" });
    const fill = h("span", { class: "fill" });
    const dot = h("span", { class: "dot", "aria-hidden": "true" });
    if (category !== null) dot.style.setProperty("--badge", stationColour(category.id));
    const name = category === null ? t("all_categories") : category.name;
    const label = h(
      "label",
      { class: category === null ? "category all" : "category" },
      input,
      dot,
      h("span", { class: "name" }, name),
      delta,
      share,
      h("span", { class: "bar", "aria-hidden": "true" }, fill),
    );
    return { id, input, share, delta, fill, label };
  });
  const element = h(
    "section",
    { class: "part", "aria-labelledby": "categories-title" },
    h("h2", { id: "categories-title" }, t("category")),
    h("div", { class: "categories", role: "radiogroup", "aria-labelledby": "categories-title" }, ...rows.map((row) => row.label)),
  );
  return {
    element,
    render: ({ question, answer, baseline, edits, draft }) => {
      for (const row of rows) {
        row.input.checked = row.id === question.category;
        if (answer === null) continue;
        const now = coveredOf(answer, row.id);
        const ratio = now.households === 0 ? null : now.covered / now.households;
        say(row.share, percent(ratio));
        wide(row.fill, ratio ?? 0);
        const old = baseline === null ? now : coveredOf(baseline, row.id);
        const change = (draft ?? edits) === edits && baseline === null ? 0 : now.covered - old.covered;
        say(row.delta, change === 0 ? "" : signed(change));
        row.delta.classList.toggle("less", change < 0);
      }
    },
  };
}
