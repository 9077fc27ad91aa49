import { h, say } from "../../shared/dom";
import { number, signed, t } from "../../shared/i18n";
import { outcome } from "../helpers/outcome";
import { at } from "../model/ground";
import { UNASSIGNED } from "../model/plan";
import type { Session } from "../session";
import type { Panel } from "./panel";

/** One line under the map: what the tool does, or what stood in the way. */
export function hintLine(): Panel {
  const element = h("p", { class: "hint", role: "status", "aria-live": "polite" });
  return {
    element,
    render(now, before): void {
      if (before !== null && now.tool === before.tool && now.hint === before.hint) return;
      say(element, before !== null && now.hint !== before.hint && now.hint !== "" ? now.hint : t(`hint_${now.tool}`));
    },
  };
}

/** What is under the pointer, and the grid it belongs to with its totals as a stroke would leave them. */
export function hoverCard(session: Session): Panel {
  const where = h("p", { class: "where" });
  const homes = h("p", { class: "homes" });
  const grid = h("p", { class: "of-grid" });
  const element = h("div", { class: "hover-card", hidden: true }, where, homes, grid);
  return {
    element,
    render(now, before): void {
      if (before !== null && now.hover === before.hover && now.version === before.version) return;
      const { plan } = session;
      const cell = now.hover;
      element.hidden = cell === null;
      if (cell === null) return;
      const { ground } = plan;
      const compound = ground.compounds[at(ground.compound, cell)]?.name;
      const community = ground.communities[at(ground.community, cell)]?.name ?? "";
      say(where, compound === undefined ? community : `${community} · ${compound}`);
      say(homes, t("hover_cell", { households: at(ground.households, cell), buildings: at(ground.buildings, cell) }));
      const own = at(plan.assignment, cell);
      say(grid, own === UNASSIGNED ? t("no_grid") : totals(session, own));
    },
  };
}

/** Totals of the grids a stroke gives to and takes from, live. */
export function strokeCard(session: Session): Panel {
  const element = h("div", { class: "stroke-card", hidden: true, role: "status" });
  return {
    element,
    render(now): void {
      const grids = session.tryingGrids();
      element.hidden = grids.length === 0 || now.proposal !== null;
      if (element.hidden) return;
      element.replaceChildren(
        ...grids.slice(0, 4).map((grid) => h("p", { class: session.plan.inBand(grid) ? "in" : "out" }, h("span", {}, totals(session, grid)), h("strong", {}, signed(session.tryingGain(grid))))),
      );
    },
  };
}

/** What is proposed, with the two answers to it. */
export function proposalBar(session: Session): Panel {
  const text = h("p", { role: "status" });
  const accept = h("button", { type: "button", class: "button primary", click: () => session.accept() }, t("accept"));
  const drop = h("button", { type: "button", class: "button", click: () => session.giveUp() }, t("discard"));
  const figures = outcome(session);
  const element = h("div", { class: "proposal", hidden: true }, text, figures.element, accept, drop);
  return {
    element,
    render(now, before): void {
      figures.render(now, before);
      element.hidden = now.proposal === null;
      if (now.proposal === null) return;
      accept.disabled = now.proposal.state === "asking";
      say(text, now.proposal.state === "asking" ? t("asking") : t("proposal_moves", { n: now.proposal.moved }));
    },
  };
}

/** What went wrong, until it is read. */
export function messageBar(session: Session): Panel {
  const text = h("p", {});
  const close = h("button", { type: "button", class: "button", click: () => session.store.set({ message: null }) }, t("understood"));
  const element = h("div", { class: "message-bar", role: "alert", hidden: true }, text, close);
  return {
    element,
    render(now): void {
      element.hidden = now.message === null;
      if (now.message === null) return;
      element.dataset["kind"] = now.message.kind;
      say(text, now.message.text);
    },
  };
}

function totals(session: Session, grid: number): string {
  const { plan } = session;
  const { load } = plan.figures(grid);
  return t("grid_totals", { name: session.nameOf(grid), n: number(load), off: signed(Math.round(100 * (load / plan.band.target - 1))) });
}
