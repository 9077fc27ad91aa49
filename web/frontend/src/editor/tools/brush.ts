import { t } from "../../shared/i18n";
import type { LonLat } from "../model/places";
import { UNASSIGNED } from "../model/plan";
import type { Session } from "../session";
import type { Spot, Tool } from "./tool";

/** Paint: what the brush meets goes into the grid where the stroke began, or the one picked with the right button. */
export class BrushTool implements Tool {
  readonly cursor = "brush";
  readonly #session: Session;
  #grid: number | null = null;
  readonly #met = new Set<number>();
  #last: LonLat | null = null;

  constructor(session: Session) {
    this.#session = session;
  }

  press(spot: Spot): void {
    const { plan, store } = this.#session;
    const under = spot.cell === null ? UNASSIGNED : (plan.assignment[spot.cell] ?? UNASSIGNED);
    const grid = store.now.grid ?? (under === UNASSIGNED ? null : under);
    if (grid === null) {
      store.set({ hint: t("hint_pick_grid") });
      return;
    }
    this.#grid = grid;
    this.#met.clear();
    this.#last = null;
    this.drag(spot);
  }

  drag(spot: Spot): void {
    if (this.#grid === null) return;
    const { places, map, store } = this.#session;
    const radius = map.degrees(store.now.brush);
    const before = this.#met.size;
    for (const spotted of between(this.#last ?? spot.at, spot.at, radius, places.squeeze)) {
      for (const cell of places.around(spotted, radius)) this.#met.add(cell);
    }
    if (spot.cell !== null) this.#met.add(spot.cell);
    this.#last = spot.at;
    if (this.#met.size === before) return;
    this.#session.try(this.#session.wanted(this.#met, this.#grid, spot.single), this.#grid);
  }

  release(): void {
    if (this.#grid === null) return;
    this.#grid = null;
    this.#session.finish();
  }

  cancel(): void {
    this.#grid = null;
    this.#session.giveUp();
  }
}

/** Return points from one place to another, half a radius apart: a fast stroke leaves nothing out. */
export function between(from: LonLat, to: LonLat, radius: number, squeeze: number): LonLat[] {
  const far = Math.hypot((to[0] - from[0]) * squeeze, to[1] - from[1]);
  const steps = Math.max(1, Math.ceil(far / Math.max(radius / 2, 1e-9)));
  return Array.from({ length: steps }, (_, k): LonLat => {
    const share = (k + 1) / steps;
    return [from[0] + (to[0] - from[0]) * share, from[1] + (to[1] - from[1]) * share];
  });
}
