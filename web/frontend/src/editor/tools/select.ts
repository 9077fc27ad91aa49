import { UNASSIGNED } from "../model/plan";
import type { Session } from "../session";
import type { Spot, Tool } from "./tool";

/** Click a grid to choose it; with Shift, one more. */
export class SelectTool implements Tool {
  readonly cursor = "select";
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  click(spot: Spot): void {
    const { plan, store } = this.#session;
    const grid = spot.cell === null ? UNASSIGNED : (plan.assignment[spot.cell] ?? UNASSIGNED);
    if (grid === UNASSIGNED) {
      if (!spot.more) store.set({ chosen: new Set(), grid: null });
      return;
    }
    const chosen = new Set(spot.more ? store.now.chosen : []);
    if (spot.more && chosen.has(grid)) chosen.delete(grid);
    else chosen.add(grid);
    store.set({ chosen, grid: chosen.has(grid) ? grid : null });
  }

  cancel(): void {
    this.#session.store.set({ chosen: new Set(), grid: null });
  }
}
