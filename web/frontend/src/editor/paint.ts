import type { Feature, FeatureCollection } from "geojson";
import type { Colours } from "./model/colours";
import { hatchUnassigned } from "./helpers/unassigned";
import { at } from "./model/ground";
import type { Places } from "./model/places";
import { type PlanModel, type Touched, UNASSIGNED } from "./model/plan";
import { joined } from "./model/sync";
import type { Box, EditorMap } from "./map/map";
import { HIDDEN } from "./map/overview";
import { Spots } from "./map/spot";

/** Numbers written in one go. */
const AT_ONCE = 1000;

/** Keeps the map's colours, borders and labels as the plan says, and touches only what changed. */
export class Painter {
  readonly #map: EditorMap;
  readonly #plan: PlanModel;
  readonly #places: Places;
  readonly #colours: Colours;
  readonly #spots: Spots;
  /** What the tiles have been told: of a cell its colour, counted from one; of an edge its mark; of a grid its label. */
  readonly #told: Uint16Array;
  readonly #marked: Uint8Array;
  readonly #labelled = new Map<number, string>();
  #waiting: Touched[] = [];
  #frame = 0;
  #chosen: ReadonlySet<number> = new Set();

  constructor(map: EditorMap, plan: PlanModel, places: Places, colours: Colours) {
    this.#map = map;
    this.#plan = plan;
    this.#places = places;
    this.#spots = new Spots(plan.ground, places);
    this.#colours = colours;
    this.#told = new Uint16Array(plan.ground.cells);
    this.#marked = new Uint8Array(plan.ground.edges);
  }

  /** Draw everything once. */
  all(): void {
    this.draw();
    this.write();
  }

  /** Draw cells and borders: for far views at once, for close ones as they come into view. */
  draw(): void {
    this.#map.onRestored(() => {
      this.#told.fill(0);
      this.#marked.fill(0);
      this.#labelled.clear();
      this.#draw();
      this.write();
    });
    this.#draw();
    if (this.#map.hasPicture) this.#map.onNear((box) => this.#tell(box));
  }

  #draw(): void {
    const { assignment, ground } = this.#plan;
    for (let cell = 0; cell < ground.cells; cell += 1) this.#look(cell, at(assignment, cell));
    if (!this.#map.hasPicture) for (let cell = 0; cell < ground.cells; cell += 1) this.#inform(cell);
    this.#map.refresh();
  }

  /** Write the numbers of grids, signs and names: they take longest, and nothing waits for them. */
  write(): void {
    const { assignment, ground } = this.#plan;
    this.#map.put("marks", collection(Array.from(assignment, (_, cell) => this.#cellMark(cell))));
    if (assignment.includes(UNASSIGNED)) this.#hatch();
    const cells = byCommunity(this.#plan);
    this.#map.put("names", collection(ground.communities.flatMap(({ name }, row) => this.#communityName(name, cells[row] ?? [], row))));
    this.#number([...this.#plan.grids.keys()], 0);
  }

  /** Write the numbers of so many grids that the page does not halt, then of the next ones. */
  #number(grids: readonly number[], from: number): void {
    const part = grids.slice(from, from + AT_ONCE);
    if (from === 0) this.#map.put("labels", collection([]));
    this.#relabel(part);
    if (from + AT_ONCE < grids.length) window.setTimeout(() => this.#number(grids, from + AT_ONCE));
  }

  /** Draw what an edit touched, together with others of the same frame. */
  touched(touched: Touched): void {
    this.#waiting.push(touched);
    this.#frame ||= requestAnimationFrame(() => this.#patch());
  }

  /** Draw the borders of chosen grids stronger. */
  choose(chosen: ReadonlySet<number>): void {
    const before = this.#chosen;
    this.#chosen = chosen;
    const { indptr, edge } = this.#plan.ground;
    for (const grid of new Set([...before, ...chosen])) {
      if (before.has(grid) === chosen.has(grid)) continue;
      for (const cell of this.#plan.cellsOf(grid)) {
        this.#map.chooseCell(cell, chosen.has(grid));
        for (let k = at(indptr, cell); k < at(indptr, cell + 1); k += 1) this.#markEdge(at(edge, k));
      }
    }
    this.#map.refresh();
  }

  #patch(): void {
    this.#frame = 0;
    const { cells, edges, grids } = joined(this.#waiting);
    this.#waiting = [];
    const recoloured = this.#colours.update(grids).flatMap((grid) => this.#plan.cellsOf(grid));
    for (const cell of [...cells, ...recoloured]) {
      const grid = at(this.#plan.assignment, cell);
      this.#look(cell, grid);
      this.#map.chooseCell(cell, this.#chosen.has(grid));
      if (at(this.#told, cell) > 0) this.#colour(cell, this.#colours.of(grid));
    }
    for (const edge of edges) this.#markEdge(edge);
    this.#map.refresh();
    if (cells.some((cell) => at(this.#plan.assignment, cell) === UNASSIGNED)) this.#hatch();
    this.#relabel([...grids]);
    this.#map.patch("marks", new Map(cells.map((cell) => [cell, this.#cellMark(cell)])));
  }

  /** Say what a cell looks like from afar, and what a part of a divided cell looks like. */
  #look(cell: number, grid: number): void {
    const colour = this.#colours.of(grid);
    // A cell that was divided has no area: its parts are drawn instead.
    this.#map.look(cell, at(this.#plan.ground.areaDm2, cell) > 0 ? colour : HIDDEN, grid);
    this.#map.colourPart(cell, colour);
  }

  /** Tell the tiles of cells that come into view: what was never looked at takes no memory. */
  #tell(box: Box): void {
    const draw = (cell: number): void => this.#inform(cell);
    this.#map.cellsIn(box, draw);
    // A cell smaller than a pixel of the picture is not in it.
    for (const cell of this.#places.inBox(...box)) draw(cell);
  }

  /** Give a cell of the tiles its colour and its borders, once. */
  #inform(cell: number): void {
    if (at(this.#told, cell) > 0) return;
    this.#colour(cell, this.#colours.of(at(this.#plan.assignment, cell)));
    const { indptr, edge } = this.#plan.ground;
    for (let k = at(indptr, cell); k < at(indptr, cell + 1); k += 1) this.#markEdge(at(edge, k));
  }

  #colour(cell: number, colour: number): void {
    if (at(this.#told, cell) === colour + 1) return;
    this.#told[cell] = colour + 1;
    this.#map.colourCell(cell, colour);
  }

  /** Look at an edge anew, where the tiles have been told of it. */
  #markEdge(edge: number): void {
    if (this.#told[at(this.#plan.ground.ends, 2 * edge)] === 0 && this.#told[at(this.#plan.ground.ends, 2 * edge + 1)] === 0) return;
    const mark = this.#mark(edge);
    if (mark === this.#marked[edge]) return;
    this.#marked[edge] = mark;
    this.#map.markEdge(edge, mark);
  }

  /** Hatch what is in no grid: a layer of its own only where there is any, for all cells would be drawn with it. */
  #hatch(): void {
    if (this.#map.gl.getLayer("unassigned") !== undefined) return;
    hatchUnassigned(this.#map.gl);
    this.#map.keepNear("unassigned");
  }

  /** Write those labels anew that are other ones than before: with each the map looks for room for all. */
  #relabel(grids: readonly number[]): void {
    const other = grids.map((grid) => [grid, this.#label(grid)] as const).filter(([grid, label]) => {
      const text = JSON.stringify(label);
      if (this.#labelled.get(grid) === text) return false;
      this.#labelled.set(grid, text);
      return true;
    });
    this.#map.patch("labels", new Map(other));
  }

  #mark(edge: number): 0 | 1 | 2 {
    if (!this.#isBorder(edge)) return 0;
    const { assignment } = this.#plan;
    const sides = [at(this.#plan.ground.ends, 2 * edge), at(this.#plan.ground.ends, 2 * edge + 1)];
    return sides.some((cell) => this.#chosen.has(at(assignment, cell))) ? 2 : 1;
  }

  #isBorder(edge: number): boolean {
    return this.#plan.isBorder(at(this.#plan.ground.ends, 2 * edge), at(this.#plan.ground.ends, 2 * edge + 1));
  }

  /** Write the number of a grid where it has most room, red where something is wrong, with a lock on locked ones. */
  #label(grid: number): Feature | null {
    const record = this.#plan.grids.get(grid);
    const spot = this.#spots.of(this.#plan.cellsOf(grid));
    if (record === undefined || spot < 0) return null;
    const problem = !this.#plan.inBand(grid) || this.#plan.figures(grid).pieces > 1;
    const order = -this.#plan.figures(grid).households;
    return this.#point(spot, grid, { text: shortCode(record.code), problem, locked: record.locked, order });
  }

  /** Mark a cell that is in no grid, or locked by itself. */
  #cellMark(cell: number): Feature | null {
    const loose = at(this.#plan.assignment, cell) === UNASSIGNED && at(this.#plan.ground.areaDm2, cell) > 0;
    if (!loose && at(this.#plan.pinned, cell) === 0) return null;
    return this.#point(cell, cell, { kind: loose ? "loose" : "pinned" });
  }

  #communityName(name: string, cells: readonly number[], row: number): Feature[] {
    const spot = this.#spots.of(cells);
    return spot < 0 ? [] : [this.#point(spot, row, { name })];
  }

  #point(cell: number, id: number, properties: Readonly<Record<string, unknown>>): Feature {
    return { type: "Feature", id, properties, geometry: { type: "Point", coordinates: [...this.#places.of(cell)] } };
  }
}

/** Return the sequence number at the end of a code, without zeros in front. */
export function shortCode(code: string): string {
  const [digits] = /\d{1,3}$/.exec(code) ?? [code];
  return String(Number.parseInt(digits, 10) || code);
}

function collection(features: readonly (Feature | null)[]): FeatureCollection {
  return { type: "FeatureCollection", features: features.filter((feature) => feature !== null) };
}

function byCommunity({ ground }: PlanModel): number[][] {
  const cells: number[][] = ground.communities.map(() => []);
  ground.community.forEach((row, cell) => cells[row]?.push(cell));
  return cells;
}
