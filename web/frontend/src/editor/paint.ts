import type { Feature } from "geojson";
import type { Colours } from "./model/colours";
import { at } from "./model/ground";
import type { Places } from "./model/places";
import { type PlanModel, type Touched, UNASSIGNED } from "./model/plan";
import { joined } from "./model/sync";
import type { EditorMap } from "./map/map";

/** Keeps the map's colours, borders and labels as the plan says, and touches only what changed. */
export class Painter {
  readonly #map: EditorMap;
  readonly #plan: PlanModel;
  readonly #places: Places;
  readonly #colours: Colours;
  readonly #labels = new Map<number, Feature>();
  readonly #ends: Int32Array;
  #waiting: Touched[] = [];
  #frame = 0;
  #chosen: ReadonlySet<number> = new Set();

  constructor(map: EditorMap, plan: PlanModel, places: Places, colours: Colours) {
    this.#map = map;
    this.#plan = plan;
    this.#places = places;
    this.#colours = colours;
    this.#ends = endsOf(plan);
  }

  /** Draw everything once. */
  all(): void {
    const { assignment, ground } = this.#plan;
    for (let cell = 0; cell < ground.cells; cell += 1) this.#map.colourCell(cell, this.#colours.of(at(assignment, cell)));
    for (let edge = 0; edge < ground.edges; edge += 1) {
      if (this.#isBorder(edge)) this.#map.markEdge(edge, this.#mark(edge));
    }
    for (const grid of this.#plan.grids.keys()) this.#label(grid);
    this.#putLabels();
  }

  /** Draw what an edit touched, together with others of the same frame. */
  touched(touched: Touched): void {
    this.#waiting.push(touched);
    this.#frame ||= requestAnimationFrame(() => this.#draw());
  }

  /** Draw the borders of chosen grids stronger. */
  choose(chosen: ReadonlySet<number>): void {
    const before = this.#chosen;
    this.#chosen = chosen;
    const { indptr, edge } = this.#plan.ground;
    for (const grid of new Set([...before, ...chosen])) {
      if (before.has(grid) === chosen.has(grid)) continue;
      for (const cell of this.#plan.cellsOf(grid)) {
        for (let k = at(indptr, cell); k < at(indptr, cell + 1); k += 1) this.#map.markEdge(at(edge, k), this.#mark(at(edge, k)));
      }
    }
  }

  #draw(): void {
    this.#frame = 0;
    const { cells, edges, grids } = joined(this.#waiting);
    this.#waiting = [];
    const recoloured = this.#colours.update(grids).flatMap((grid) => this.#plan.cellsOf(grid));
    for (const cell of [...cells, ...recoloured]) {
      this.#map.colourCell(cell, this.#colours.of(at(this.#plan.assignment, cell)));
    }
    for (const edge of edges) this.#map.markEdge(edge, this.#mark(edge));
    for (const grid of grids) this.#label(grid);
    this.#putLabels();
  }

  #mark(edge: number): 0 | 1 | 2 {
    if (!this.#isBorder(edge)) return 0;
    const { assignment } = this.#plan;
    const sides = [at(this.#ends, 2 * edge), at(this.#ends, 2 * edge + 1)];
    return sides.some((cell) => this.#chosen.has(at(assignment, cell))) ? 2 : 1;
  }

  #isBorder(edge: number): boolean {
    return this.#plan.isBorder(at(this.#ends, 2 * edge), at(this.#ends, 2 * edge + 1));
  }

  #label(grid: number): void {
    const record = this.#plan.grids.get(grid);
    const cells = this.#plan.cellsOf(grid);
    if (record === undefined || cells.length === 0) {
      this.#labels.delete(grid);
      return;
    }
    const spot = this.#places.of(middle(cells, this.#places));
    const problem = !this.#plan.inBand(grid) || this.#plan.figures(grid).pieces > 1;
    this.#labels.set(grid, {
      type: "Feature",
      properties: { text: shortCode(record.code), problem, order: -this.#plan.figures(grid).households },
      geometry: { type: "Point", coordinates: [...spot] },
    });
  }

  #putLabels(): void {
    this.#map.put("labels", { type: "FeatureCollection", features: [...this.#labels.values()] });
  }
}

/** Return the sequence number at the end of a code, without zeros in front. */
export function shortCode(code: string): string {
  const [digits] = /\d{1,3}$/.exec(code) ?? [code];
  return String(Number.parseInt(digits, 10) || code);
}

/** Return the cell nearest to the mean of all. */
function middle(cells: readonly number[], places: Places): number {
  const spots = cells.map((cell) => places.of(cell));
  const mean = (k: 0 | 1): number => spots.reduce((sum, spot) => sum + spot[k], 0) / spots.length;
  const [lon, lat] = [mean(0), mean(1)];
  let best = cells[0] ?? UNASSIGNED;
  let least = Infinity;
  spots.forEach((spot, k) => {
    const far = ((spot[0] - lon) * places.squeeze) ** 2 + (spot[1] - lat) ** 2;
    if (far < least) [best, least] = [cells[k] as number, far];
  });
  return best;
}

/** Return the two cells of every edge. */
function endsOf({ ground }: PlanModel): Int32Array {
  const ends = new Int32Array(2 * ground.edges);
  for (let a = 0; a < ground.cells; a += 1) {
    for (let k = at(ground.indptr, a); k < at(ground.indptr, a + 1); k += 1) {
      const b = at(ground.neighbor, k);
      if (b < a) continue;
      ends[2 * at(ground.edge, k)] = a;
      ends[2 * at(ground.edge, k) + 1] = b;
    }
  }
  return ends;
}
