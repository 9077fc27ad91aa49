import { UNASSIGNED } from "../model/plan";
import type { Session } from "../session";
import type { Spot, Tool } from "./tool";

const LEAST = 2;

/** Click a grid to split it into parts of even load; the number fits the band unless another is typed. */
export class PartsTool implements Tool {
  readonly cursor = "parts";
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  click(spot: Spot): void {
    const { plan } = this.#session;
    const grid = spot.cell === null ? UNASSIGNED : (plan.assignment[spot.cell] ?? UNASSIGNED);
    if (grid === UNASSIGNED) return;
    const parts = Math.max(LEAST, Math.round(plan.figures(grid).load / plan.band.target));
    void this.#session.propose({ kind: "split-parts", grid, parts });
  }

  cancel(): void {
    this.#session.giveUp();
  }
}
