import type { Gap } from "../api";
import { h, say } from "../../shared/dom";
import { known, t } from "../i18n";
import type { State } from "../state";
import type { Context, Panel } from "./panel";

const LISTED = 40;

/** What stands between an area and a station, in words. */
export function reasonText(reason: string): string {
  return known(`reason_${reason}`) ? t(`reason_${reason}`) : reason;
}

/** Gaps, largest first; a gap chosen here is shown on the map, and the other way round. */
export function gapsPanel({ store, map }: Context): Panel {
  const list = h("ol", { class: "gaps" });
  const none = h("p", { class: "muted" }, t("no_gaps"));
  const more = h("p", { class: "muted" });
  const element = h("section", { "aria-label": t("gaps") }, h("h2", {}, t("gaps")), none, list, more);
  let drawn: readonly Gap[] | null = null;

  const item = (gap: Gap, k: number, { overview, question }: State): HTMLElement => {
    const community = overview.communities[gap.community]?.name ?? "–";
    const category = question.category === null ? (overview.categories[gap.category]?.name ?? "") : "";
    const walk = gap.minutes === null ? "" : t("gap_walk", { n: Math.round(gap.minutes) });
    const button = h(
      "button",
      {
        type: "button",
        "aria-pressed": "false",
        click: () => {
          store.set({ gap: store.now.gap === k ? null : k });
          if (store.now.gap === k) map?.fly([gap.lon, gap.lat]);
        },
      },
      h("span", { class: "rank" }, String(k + 1)),
      h("strong", {}, t("n_households", { n: gap.households })),
      h("span", { class: `reason ${gap.reason}` }, reasonText(gap.reason)),
      h(
        "span",
        { class: "where" },
        [category, t("gap_where", { community, buildings: gap.buildings }), walk].filter((part) => part !== "").join(" · "),
      ),
    );
    return h("li", {}, button);
  };

  const render = (now: State): void => {
    const gaps = now.answer?.gaps ?? [];
    if (gaps !== drawn) {
      drawn = gaps;
      list.replaceChildren(...gaps.slice(0, LISTED).map((gap, k) => item(gap, k, now)));
      none.hidden = gaps.length > 0 || now.answer === null;
      more.hidden = gaps.length <= LISTED;
      say(more, t("gap_more", { n: gaps.length - LISTED }));
    }
    [...list.querySelectorAll("button")].forEach((button, k) => {
      const on = now.gap === k;
      if ((button.getAttribute("aria-pressed") === "true") === on) return;
      button.setAttribute("aria-pressed", String(on));
      if (on) button.scrollIntoView({ block: "nearest" });
    });
  };
  return { element, render };
}
