import { h } from "../../shared/dom";
import { t } from "../../shared/i18n";
import type { Panel } from "../panels/panel";
import { mayChange } from "../reading";
import type { Session } from "../session";
import type { ScopeChoice } from "./choice";
import { communitiesOf, fittingParts, unlocked } from "./scope";

type Button = HTMLButtonElement;

/** Repair, numbers, merging, splitting and locks of the grids of the scope. */
export function mendPart(session: Session, choice: ScopeChoice): Panel {
  const { plan, store } = session;
  const button = (name: string, act: () => void): Button => h("button", { type: "button", class: "button", "data-helper": name, click: act }, t(`helpers_${name}`));
  const parts = h("input", { type: "number", min: 2, max: 99, value: 2, "aria-label": t("helpers_parts") });
  const broken = (): number[] => unlocked(plan, choice.grids()).filter((grid) => plan.figures(grid).pieces > 1);
  const only = (): number | null => (store.now.chosen.size === 1 ? (choice.grids()[0] ?? null) : null);
  const buttons = {
    repair: button("repair", () => void session.propose({ kind: "repair", grids: broken() })),
    renumber: button("renumber", () => void session.propose({ kind: "renumber", communities: communitiesOf(plan, choice.grids()) })),
    merge: button("merge", () => merge(session, only())),
    split: button("split", () => void session.propose({ kind: "split-parts", grid: only(), parts: Math.max(2, parts.valueAsNumber || 2) })),
    lock: button("lock", () => session.command({ kind: "lock", locked: true, grids: unlocked(plan, choice.grids()) })),
    unlock: button("unlock", () => session.command({ kind: "lock", locked: false, grids: locked(session, choice) })),
  };
  const one = h("div", { class: "answers" }, buttons.merge, h("span", { class: "split-n" }, buttons.split, parts));
  const element = h(
    "div",
    { class: "helper-part" },
    h("h2", {}, t("helpers_mend")),
    h("div", { class: "answers" }, buttons.repair, buttons.renumber, buttons.lock, buttons.unlock),
    h("h2", {}, t("helpers_one")),
    one,
    h("p", { class: "caption" }, t("helpers_one_hint")),
  );
  return {
    element,
    render(now, before): void {
      const closed = !mayChange(session.info) || now.proposal?.state === "asking";
      const grids = choice.grids();
      const grid = only();
      if (grid !== null && now.chosen !== before?.chosen) parts.value = String(fittingParts(plan, grid));
      const free = grid !== null && !plan.grids.get(grid)?.locked;
      buttons.repair.disabled = closed || broken().length === 0;
      buttons.renumber.disabled = closed || grids.length === 0;
      buttons.merge.disabled = closed || !free || (grid !== null && session.partner(grid) === null);
      buttons.split.disabled = parts.disabled = closed || !free;
      buttons.lock.disabled = closed || unlocked(plan, grids).length === 0;
      buttons.unlock.disabled = closed || locked(session, choice).length === 0;
    },
  };
}

function locked({ plan }: Session, choice: ScopeChoice): number[] {
  return choice.grids().filter((grid) => plan.grids.get(grid)?.locked);
}

function merge(session: Session, grid: number | null): void {
  const partner = grid === null ? null : session.partner(grid);
  if (grid !== null && partner !== null) void session.propose({ kind: "merge", grids: [partner, grid] });
}
