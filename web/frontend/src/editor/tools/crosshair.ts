import { h, say } from "../../shared/dom";
import { number, t } from "../../shared/i18n";
import { at } from "../model/ground";
import { UNASSIGNED } from "../model/plan";
import type { Session } from "../session";

/** Marks the middle of the map while the keyboard works there, and says what lies under it. */
export class Crosshair {
  readonly #session: Session;
  readonly #mark = h("div", { class: "crosshair", "aria-hidden": "true", hidden: true });
  readonly #voice = h("p", { class: "hidden", role: "status", "aria-live": "polite" });
  #holding = false;

  constructor(session: Session, frame: HTMLElement) {
    this.#session = session;
    frame.append(this.#mark, this.#voice);
    const canvas = session.map.gl.getCanvas();
    canvas.addEventListener("focus", () => {
      if (canvas.matches(":focus-visible")) this.show();
    });
    canvas.addEventListener("blur", () => this.hide());
  }

  show(): void {
    this.#mark.hidden = false;
  }

  hide(): void {
    if (!this.#mark.hidden) this.#mark.hidden = true;
  }

  /** Show whether a stroke is in progress, and say so. */
  hold(on: boolean): void {
    if (on === this.#holding) return;
    this.#holding = on;
    this.#mark.classList.toggle("holding", on);
    say(this.#voice, t(on ? "stroke_begun" : "stroke_ended"));
  }

  /** Say what a cell belongs to, with the load of its grid as it stands. */
  tell(cell: number | null): void {
    const { plan } = this.#session;
    if (cell === null) {
      say(this.#voice, t("nothing_here"));
      return;
    }
    const compound = plan.ground.compounds[at(plan.ground.compound, cell)]?.name;
    const place = compound ?? plan.ground.communities[at(plan.ground.community, cell)]?.name ?? "";
    const grid = at(plan.assignment, cell);
    const of = grid === UNASSIGNED ? t("no_grid") : `${this.#session.nameOf(grid)}, ${number(plan.figures(grid).load)}`;
    say(this.#voice, `${place}, ${of}`);
  }
}
