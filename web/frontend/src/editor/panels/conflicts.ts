import { h, say } from "../../shared/dom";
import { known, number, t } from "../../shared/i18n";
import { at } from "../model/ground";
import { UNASSIGNED } from "../model/plan";
import { nameOfUser } from "../names";
import type { Session } from "../session";
import { type Clash, Clashes } from "../together/clashes";
import type { Panel } from "./panel";

/** Where the planner's strokes met changes of others: object by object, both versions, one answer each. */
export function conflictsPanel(session: Session): Panel & { readonly clashes: Clashes } {
  const clashes = new Clashes(session, () => draw());
  const title = h("h2", { id: "conflicts-title" });
  const list = h("ul", { class: "clashes" });
  const close = h("button", { type: "button", class: "button", click: () => clashes.close() }, t("clash_close"));
  const element = h(
    "section",
    { class: "conflicts", "aria-labelledby": "conflicts-title", role: "region", hidden: true },
    h("div", { role: "alert" }, title, h("p", { class: "caption" }, t("clash_caption"))),
    list,
    h("div", { class: "inline end" }, close),
  );
  function draw(): void {
    const { all } = clashes;
    element.hidden = all.length === 0;
    const focused = document.activeElement instanceof HTMLElement ? document.activeElement.dataset["clash"] : undefined;
    say(title, t("clash_title", { n: all.filter(({ decided }) => decided === null).length }));
    list.replaceChildren(...all.map((clash) => row(session, clashes, clash)));
    // The answered row keeps its place, and the keyboard goes on to the next question.
    if (focused !== undefined) (list.querySelector<HTMLElement>("button[data-clash]:not([disabled])") ?? close).focus();
  }
  let version = -1;
  return {
    element,
    clashes,
    render(now): void {
      if (now.version === version || clashes.all.length === 0) return;
      version = now.version;
      draw();
    },
  };
}

function row(session: Session, clashes: Clashes, clash: Clash): HTMLElement {
  const decided = clash.decided === null ? null : h("p", { class: "decided", role: "status" }, t(`clash_kept_${clash.decided}`));
  const answer = (name: "theirs" | "mine", act: () => void, off: boolean): HTMLElement =>
    h("button", { type: "button", class: "button", "data-clash": `${clash.key}:${name}`, disabled: off, click: act }, t(`clash_${name}`));
  return h(
    "li",
    { class: clash.decided === null ? "clash" : "clash done", "data-object": `${clash.type}-${clash.id}` },
    h("button", { type: "button", class: "link", click: () => session.goTo(clash.cells) }, nameOf(session, clash)),
    h("dl", {}, h("dt", {}, t("clash_mine_is")), h("dd", { class: "mine" }, mineOf(session, clash)), h("dt", {}, nameOfUser(clash.user) || t("clash_somebody")), h("dd", { class: "theirs" }, theirsOf(session, clash))),
    decided ??
      h(
        "div",
        { class: "inline" },
        answer("theirs", () => clashes.keep(clash), false),
        answer("mine", () => clashes.again(clash), !clashes.possible(clash)),
      ),
  );
}

function nameOf(session: Session, clash: Clash): string {
  const { plan } = session;
  if (clash.type === "edit") return known(`edit_${clash.kind}`) ? t(`edit_${clash.kind}`) : clash.kind;
  if (clash.type === "grid") return t("clash_grid", { name: session.nameOf(clash.id), n: clash.cells.length });
  const compound = plan.ground.compounds[at(plan.ground.compound, clash.id)]?.name;
  const community = plan.ground.communities[at(plan.ground.community, clash.id)]?.name ?? "";
  return t("clash_cell", { place: compound ?? community, id: String(clash.id) });
}

function mineOf(session: Session, clash: Clash): string {
  if (clash.type === "edit") return t("clash_edit_mine");
  return clash.mine === null || clash.mine === UNASSIGNED ? t("no_grid") : t("clash_into", { name: session.nameOf(clash.mine) });
}

function theirsOf({ plan }: Session, clash: Clash): string {
  const revision = number(clash.revision);
  if (clash.type === "edit") return t("clash_edit_theirs", { revision });
  if (clash.type === "grid") {
    const record = plan.grids.get(clash.id);
    const now = record === undefined ? "clash_grid_gone" : record.locked ? "clash_grid_locked" : "clash_grid_there";
    return `${t(now)} ${t("clash_revision", { revision })}`;
  }
  const grid = at(plan.assignment, clash.id);
  const now = grid === UNASSIGNED ? t("no_grid") : t("clash_into", { name: plan.grids.get(grid)?.name ?? String(grid) });
  return `${now} ${t("clash_revision", { revision })}`;
}
