import { h, say } from "../../shared/dom";
import { number, t } from "../../shared/i18n";
import type { Panel } from "../panels/panel";
import type { Session } from "../session";
import type { State } from "../store";
import { type Scope, communitiesOf, figuresOf, gridsOf } from "./scope";

const CHOSEN = "chosen";
const ALL = "all";

/** Where the helpers work: the chosen grids as soon as there are any, else a community or the whole plan. */
export class ScopeChoice implements Panel {
  readonly element: HTMLElement;
  readonly #session: Session;
  readonly #select: HTMLSelectElement;
  readonly #chosen: HTMLOptionElement;
  readonly #figures = h("p", { class: "caption", role: "status" });

  constructor(session: Session) {
    this.#session = session;
    this.#chosen = h("option", { value: CHOSEN }, t("helpers_chosen", { n: 0 }));
    const { communities } = session.plan.ground;
    const homes = communitiesOf(session.plan, [...session.plan.grids.keys()]).map((row) => h("option", { value: row }, communities[row]?.name ?? ""));
    this.#select = h("select", { change: () => session.store.set({}) }, this.#chosen, h("option", { value: ALL }, t("helpers_all")), ...homes);
    this.#select.value = ALL;
    this.element = h("div", { class: "scope" }, h("label", {}, t("helpers_scope"), this.#select), this.#figures);
  }

  get scope(): Scope {
    const { value } = this.#select;
    if (value === CHOSEN) return { kind: "chosen" };
    return value === ALL ? { kind: "all" } : { kind: "community", community: Number(value) };
  }

  /** Grids of the scope, by number. */
  grids(): number[] {
    return gridsOf(this.#session.plan, this.scope, this.#session.store.now.chosen);
  }

  render(now: State, before: State | null): void {
    if (now.chosen !== before?.chosen) {
      this.#chosen.textContent = t("helpers_chosen", { n: now.chosen.size });
      this.#chosen.disabled = now.chosen.size === 0;
      if (now.chosen.size > 0) this.#select.value = CHOSEN;
      else if (this.#select.value === CHOSEN) this.#select.value = ALL;
    }
    const { plan } = this.#session;
    const { grids, inBand, load, locked } = figuresOf(plan, this.grids());
    const unit = t(`unit_${plan.band.measure}`);
    const text = t("helpers_scope_figures", { grids, band: inBand, load: number(load), unit });
    say(this.#figures, locked > 0 ? `${text} · ${t("helpers_scope_locked", { n: locked })}` : text);
  }
}
