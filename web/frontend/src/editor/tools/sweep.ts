import { t } from "../../shared/i18n";
import { at } from "../model/ground";
import type { LonLat } from "../model/places";
import { type PlanModel, UNASSIGNED } from "../model/plan";
import type { Session } from "../session";
import type { Spot, Tool } from "./tool";

/** Grab the border between two grids and drag it: what it passes over changes sides, both totals live. */
export class SweepTool implements Tool {
  readonly cursor = "sweep";
  readonly #session: Session;
  #pair: readonly [number, number] | null = null;
  #from: LonLat = [0, 0];
  /** Cells of either side at the beginning: where the border stood. */
  #first = new Map<number, number>();

  constructor(session: Session) {
    this.#session = session;
  }

  press(spot: Spot): void {
    const { plan, map, places, store } = this.#session;
    const pair = spot.cell === null ? null : this.#beside(spot.cell, places.around(spot.at, map.degrees(3 * store.now.brush)));
    if (pair === null) {
      store.set({ hint: t("hint_no_border") });
      return;
    }
    this.#pair = pair;
    this.#from = spot.at;
    this.#first = new Map(pair.flatMap((grid) => plan.cellsOf(grid).map((cell) => [cell, grid] as const)));
    store.set({ chosen: new Set(pair) });
  }

  drag(spot: Spot): void {
    const pair = this.#pair;
    if (pair === null) return;
    const { map, store } = this.#session;
    const swept = this.#swept(spot.at, map.degrees(2 * store.now.brush));
    // Dragged into a grid, the border takes from it; back over its own ground it takes from the other.
    const into = this.#sideAt(spot, swept);
    const gains = into === pair[0] ? pair[1] : pair[0];
    const cells = swept.filter((cell) => this.#first.get(cell) === into);
    this.#session.try(this.#session.wanted(cells, gains, spot.single), gains);
  }

  release(): void {
    if (this.#pair === null) return;
    this.#pair = null;
    this.#session.finish();
  }

  cancel(): void {
    this.#pair = null;
    this.#session.giveUp();
  }

  /** The grid pressed in and the nearest other one of its community. */
  #beside(cell: number, near: readonly number[]): readonly [number, number] | null {
    const { plan } = this.#session;
    const own = at(plan.assignment, cell);
    if (own === UNASSIGNED) return null;
    const count = new Map<number, number>();
    for (const other of [cell, ...near]) {
      if (at(plan.assignment, other) !== own) continue;
      for (const grid of touching(plan, other)) count.set(grid, (count.get(grid) ?? 0) + 1);
    }
    const mine = plan.grids.get(own)?.community;
    const [best] = [...count].filter(([grid]) => plan.grids.get(grid)?.community === mine).sort((a, b) => b[1] - a[1] || a[0] - b[0]);
    return best === undefined ? null : [own, best[0]];
  }

  /** Cells of both grids in a corridor from where the border was grabbed to the pointer. */
  #swept(to: LonLat, half: number): number[] {
    const { places } = this.#session;
    const [x0, y0] = [this.#from[0] * places.squeeze, this.#from[1]];
    const [dx, dy] = [to[0] * places.squeeze - x0, to[1] - y0];
    const far = Math.hypot(dx, dy);
    if (far === 0) return [];
    const found: number[] = [];
    for (const cell of this.#first.keys()) {
      const [lon, lat] = places.of(cell);
      const [px, py] = [lon * places.squeeze - x0, lat - y0];
      const along = (px * dx + py * dy) / far;
      const aside = Math.abs(px * dy - py * dx) / far;
      if (along >= -half / 2 && along <= far && aside <= half) found.push(cell);
    }
    return found;
  }

  #sideAt(spot: Spot, swept: readonly number[]): number {
    const under = spot.cell === null ? undefined : this.#first.get(spot.cell);
    if (under !== undefined) return under;
    const [own, other] = this.#pair as readonly [number, number];
    const inOwn = swept.filter((cell) => this.#first.get(cell) === own).length;
    return 2 * inOwn > swept.length ? own : other;
  }
}

function touching({ ground, assignment }: PlanModel, cell: number): number[] {
  const own = at(assignment, cell);
  const grids: number[] = [];
  for (let k = at(ground.indptr, cell); k < at(ground.indptr, cell + 1); k += 1) {
    const grid = at(assignment, at(ground.neighbor, k));
    if (grid !== own && grid !== UNASSIGNED) grids.push(grid);
  }
  return grids;
}
