import { h } from "../../shared/dom";
import { t } from "../../shared/i18n";
import type { Panel } from "../panels/panel";
import type { Session } from "../session";
import type { ScopeChoice } from "./choice";
import { effortChoice } from "./redraw";
import { Requests } from "./requests";
import { Running } from "./running";
import { communitiesOf } from "./scope";
import { sideBySide } from "./side-by-side";

/** Three other divisions of the plan, or of one community, worked out by a job and looked at side by side. */
export function alternativesPart(session: Session, choice: ScopeChoice): Panel {
  const requests = new Requests(session.api);
  const running = new Running(requests);
  const effort = effortChoice();
  const start = h("button", { type: "button", class: "button primary", "data-helper": "alternatives", click: () => void make() }, t("alternatives_make"));
  const look = h("button", { type: "button", class: "button", hidden: true, click: () => made?.showModal() }, t("alternatives_look"));
  let made: HTMLDialogElement | null = null;

  async function make(): Promise<void> {
    const community = communityOf(session, choice);
    start.disabled = true;
    try {
      await session.sync.settled();
      const done = await running.run(() => requests.startAlternatives(community, effort.value));
      if (done === null) return;
      const [document, sketches] = await Promise.all([requests.alternatives(done.id), requests.sketches(done.id)]);
      made?.remove();
      made = sideBySide(session, requests, { job: done.id, document, sketches });
      element.append(made);
      look.hidden = false;
      made.showModal();
    } finally {
      start.disabled = false;
    }
  }

  const scope = h("p", { class: "caption" });
  const element = h(
    "div",
    { class: "helper-part" },
    h("h2", {}, t("alternatives")),
    scope,
    h("label", { class: "inline" }, t("helpers_effort"), effort),
    h("div", { class: "answers" }, start, look),
    running.element,
  );
  return {
    element,
    render(): void {
      const community = communityOf(session, choice);
      const name = community === null ? null : (session.plan.ground.communities[community]?.name ?? "");
      scope.textContent = name === null ? t("alternatives_all") : t("alternatives_community", { name });
      start.disabled = running.busy || !session.info.may_edit;
    },
  };
}

/** The one community that the scope lies in; null for the whole plan. */
function communityOf(session: Session, choice: ScopeChoice): number | null {
  const { scope } = choice;
  if (scope.kind === "community") return scope.community;
  if (scope.kind === "all") return null;
  const homes = communitiesOf(session.plan, choice.grids());
  return homes.length === 1 ? (homes[0] ?? null) : null;
}
