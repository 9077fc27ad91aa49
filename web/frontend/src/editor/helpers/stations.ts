import { type Ground, at } from "../model/ground";
import { type PlanModel } from "../model/plan";

/** Where the stations are, as the service tells it, and the circle that each serves. */
export interface StationsDocument {
  readonly state: "ready" | "building";
  readonly minutes: number;
  readonly metres: number;
  readonly categories: readonly string[];
  /** Longitude, latitude, number of the category. */
  readonly stations: readonly (readonly [number, number, number])[];
}

/** A grid most of whose households live beyond the circles of a category. */
export interface Far {
  readonly grid: number;
  readonly category: string;
  /** Households beyond, and how many there are in all. */
  readonly beyond: number;
  readonly households: number;
  /** Metres from the farthest of them to the nearest station, as the crow flies. */
  readonly metres: number;
  /** How many other categories are as far. */
  readonly more: number;
}

const METRES_PER_DEGREE = (6_371_008.8 * Math.PI) / 180;
const STEP = 1e-7;

/** Knows how far every cell is from the nearest station of each category, in a straight line. */
export class Stations {
  readonly minutes: number;
  readonly metres: number;
  readonly #categories: readonly string[];
  readonly #byCategory: readonly Float64Array[];
  readonly #squeeze: number;
  /** For each category whether a cell lies in none of its circles. */
  #beyond: readonly Uint8Array[] = [];
  #ground: Ground | null = null;

  constructor({ minutes, metres, categories, stations }: StationsDocument) {
    this.minutes = minutes;
    this.metres = metres;
    this.#categories = categories;
    const lats = stations.map(([, lat]) => lat);
    this.#squeeze = lats.length === 0 ? 1 : Math.cos((((Math.min(...lats) + Math.max(...lats)) / 2) * Math.PI) / 180);
    // Metres east and north: over a city the error is a metre or two in a thousand.
    this.#byCategory = categories.map((_, number) => Float64Array.from(stations.filter(([, , own]) => own === number).flatMap(([lon, lat]) => this.#place(lon, lat))));
  }

  /** List the grids that are far from stations, by number; each with the category that it lacks most. */
  far(plan: PlanModel): Far[] {
    this.#look(plan.ground);
    return [...plan.grids.keys()].sort((a, b) => a - b).flatMap((grid) => this.#lacking(plan, grid) ?? []);
  }

  /** Metres from a cell to the nearest station of a category; infinite where it has none. */
  distance(ground: Ground, cell: number, category: number): number {
    const [x, y] = this.#of(ground, cell);
    return nearest(this.#byCategory[category] ?? new Float64Array(), x, y);
  }

  #lacking(plan: PlanModel, grid: number): Far | null {
    const { households, kind } = { households: plan.ground.households, kind: plan.grids.get(grid)?.kind ?? "" };
    // A grid for a use of its own, a market or a park, is not where people live.
    if (kind !== "") return null;
    const cells = plan.cellsOf(grid);
    const all = cells.reduce((sum, cell) => sum + at(households, cell), 0);
    const found = this.#beyond.flatMap((beyond, category) => {
      const away = cells.filter((cell) => at(beyond, cell) === 1 && at(households, cell) > 0);
      const homes = away.reduce((sum, cell) => sum + at(households, cell), 0);
      return 2 * homes > all ? [{ category, away, homes }] : [];
    });
    const [worst] = found.sort((a, b) => b.homes - a.homes || a.category - b.category);
    if (worst === undefined) return null;
    const metres = Math.max(...worst.away.map((cell) => this.distance(plan.ground, cell, worst.category)));
    return { grid, category: this.#categories[worst.category] ?? "", beyond: worst.homes, households: all, metres, more: found.length - 1 };
  }

  /** Cells do not move: they are looked at once. */
  #look(ground: Ground): void {
    if (this.#ground === ground) return;
    this.#ground = ground;
    const circles = this.#byCategory.map((points) => new Squares(points, this.metres));
    this.#beyond = circles.map((near) => Uint8Array.from({ length: ground.cells }, (_, cell) => (near.reach(...this.#of(ground, cell)) ? 0 : 1)));
  }

  #of(ground: Ground, cell: number): [number, number] {
    return this.#place(at(ground.lon, cell) * STEP, at(ground.lat, cell) * STEP);
  }

  #place(lon: number, lat: number): [number, number] {
    return [lon * this.#squeeze * METRES_PER_DEGREE, lat * METRES_PER_DEGREE];
  }
}

/** Points in squares as wide as they reach: whoever is reached has the point in one of nine squares. */
class Squares {
  readonly #points: Float64Array;
  readonly #reach: number;
  readonly #in = new Map<string, number[]>();

  constructor(points: Float64Array, reach: number) {
    this.#points = points;
    this.#reach = reach;
    for (let k = 0; k < points.length; k += 2) {
      const key = this.#key(at(points, k), at(points, k + 1));
      const held = this.#in.get(key);
      if (held === undefined) this.#in.set(key, [k]);
      else held.push(k);
    }
  }

  reach(x: number, y: number): boolean {
    for (let east = -1; east <= 1; east += 1) {
      for (let north = -1; north <= 1; north += 1) {
        const held = this.#in.get(this.#key(x + east * this.#reach, y + north * this.#reach)) ?? [];
        if (held.some((k) => Math.hypot(at(this.#points, k) - x, at(this.#points, k + 1) - y) <= this.#reach)) return true;
      }
    }
    return false;
  }

  #key(x: number, y: number): string {
    return `${Math.floor(x / this.#reach)} ${Math.floor(y / this.#reach)}`;
  }
}

function nearest(points: Float64Array, x: number, y: number): number {
  let least = Infinity;
  for (let k = 0; k < points.length; k += 2) least = Math.min(least, Math.hypot(at(points, k) - x, at(points, k + 1) - y));
  return least;
}
