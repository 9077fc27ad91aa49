import type { Feature } from "geojson";
import { t } from "../../shared/i18n";
import type { LonLat } from "../model/places";
import { UNASSIGNED } from "../model/plan";
import type { Session } from "../session";
import type { Spot, Tool } from "./tool";

const NOTHING = { type: "FeatureCollection" as const, features: [] };

/** Draw a box or a ring; what lies in it goes into the picked grid. */
export class AreaTool implements Tool {
  readonly cursor = "cross";
  readonly #session: Session;
  readonly #shape: "box" | "lasso" | "encircle";
  #ring: LonLat[] = [];
  #begin: Spot | null = null;

  constructor(session: Session, shape: "box" | "lasso" | "encircle") {
    this.#session = session;
    this.#shape = shape;
  }

  press(spot: Spot): void {
    this.#begin = spot;
    this.#ring = [spot.at];
  }

  drag(spot: Spot): void {
    if (this.#begin === null) return;
    this.#ring = this.#shape === "box" ? corners(this.#begin.at, spot.at) : [...this.#ring, spot.at];
    this.#draw();
  }

  release(spot: Spot): void {
    const begin = this.#begin;
    const ring = this.#ring;
    this.cancel();
    if (begin === null || ring.length < 3) return;
    const { places, plan, store } = this.#session;
    const cells = places.inRing(ring);
    if (spot.more && store.now.grid === null && this.#shape !== "encircle") {
      this.#choose(cells);
      return;
    }
    const grid = this.#shape === "encircle" ? this.#most(cells) : this.#target(begin);
    if (grid === null) {
      store.set({ hint: t("hint_pick_grid") });
      return;
    }
    const wanted = this.#session.wanted(cells, grid, spot.single);
    if (wanted.length === 0 && plan.grids.has(grid)) store.set({ hint: t("hint_nothing_inside") });
    else this.#session.assign(wanted, grid);
  }

  cancel(): void {
    this.#begin = null;
    this.#ring = [];
    this.#session.map.put("draft", NOTHING);
  }

  #target(begin: Spot): number | null {
    const { plan, store } = this.#session;
    const under = begin.cell === null ? UNASSIGNED : (plan.assignment[begin.cell] ?? UNASSIGNED);
    return store.now.grid ?? (under === UNASSIGNED ? null : under);
  }

  /** Choose the grids that the shape meets, besides those that are chosen already. */
  #choose(cells: readonly number[]): void {
    const { plan, store } = this.#session;
    const met = cells.map((cell) => plan.assignment[cell] ?? UNASSIGNED).filter((grid) => grid !== UNASSIGNED);
    const chosen = new Set([...store.now.chosen, ...met]);
    store.set({ chosen, hint: t("hint_chosen", { n: chosen.size }) });
  }

  /** The grid that has most households of what was encircled takes the rest. */
  #most(cells: readonly number[]): number | null {
    const { plan, store } = this.#session;
    if (store.now.grid !== null) return store.now.grid;
    const share = new Map<number, number>();
    for (const cell of cells) {
      const grid = plan.assignment[cell] ?? UNASSIGNED;
      if (grid !== UNASSIGNED) share.set(grid, (share.get(grid) ?? 0) + (plan.ground.households[cell] ?? 0));
    }
    const [best] = [...share].sort((a, b) => b[1] - a[1] || a[0] - b[0]);
    return best?.[0] ?? null;
  }

  #draw(): void {
    this.#session.map.put("draft", { type: "FeatureCollection", features: [shapeOf(this.#ring)] });
  }
}

/** A ring of at least two points as a shape on the map. */
export function shapeOf(ring: readonly LonLat[]): Feature {
  const closed = [...ring, ring[0] as LonLat].map((at) => [...at]);
  return { type: "Feature", properties: {}, geometry: { type: "Polygon", coordinates: [closed] } };
}

function corners([west, south]: LonLat, [east, north]: LonLat): LonLat[] {
  return [
    [west, south],
    [east, south],
    [east, north],
    [west, north],
  ];
}
