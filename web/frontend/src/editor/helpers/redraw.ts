import { h } from "../../shared/dom";
import { t } from "../../shared/i18n";
import type { Panel } from "../panels/panel";
import { mayChange } from "../reading";
import type { Session } from "../session";
import type { ScopeChoice } from "./choice";
import { communitiesOf, unlocked } from "./scope";

export const EFFORTS = ["fast", "normal", "best"] as const;

/** A choice of how long the engine searches. */
export function effortChoice(chosen = "normal"): HTMLSelectElement {
  const select = h("select", { name: "effort" }, ...EFFORTS.map((effort) => h("option", { value: effort }, t(`effort_${effort}`))));
  select.value = chosen;
  return select;
}

/** Divide the grids of the scope anew, all else left as it is. */
export function redrawPart(session: Session, choice: ScopeChoice): Panel {
  const effort = effortChoice();
  const ask = (parts: number | null, grids: readonly number[]): void => {
    void session.propose({ kind: "rebalance", grids, effort: effort.value, parts });
  };
  const divide = h("button", { type: "button", class: "button primary", "data-helper": "partition", click: () => ask(null, unlocked(session.plan, choice.grids())) }, t("helpers_partition"));
  const even = h("button", { type: "button", class: "button", "data-helper": "rebalance", click: () => evenOut() }, t("helpers_rebalance"));
  function evenOut(): void {
    const grids = unlocked(session.plan, choice.grids());
    // In one community the number of grids can be kept; in several the service finds it for each.
    ask(communitiesOf(session.plan, grids).length === 1 ? grids.length : null, grids);
  }
  const element = h(
    "div",
    { class: "helper-part" },
    h("h2", {}, t("helpers_redraw")),
    h("label", { class: "inline" }, t("helpers_effort"), effort),
    h("div", { class: "answers" }, divide, even),
    h("p", { class: "caption" }, t("helpers_redraw_hint")),
  );
  return {
    element,
    render(now): void {
      const none = !mayChange(session.info) || now.proposal?.state === "asking" || unlocked(session.plan, choice.grids()).length === 0;
      divide.disabled = even.disabled = none;
    },
  };
}
