import { type Ground, at } from "./ground";

export const UNASSIGNED = -1;

/** What is said of a grid. */
export interface GridRecord {
  readonly id: number;
  readonly community: number;
  readonly code: string;
  readonly name: string;
  readonly locked: boolean;
  readonly staff: number;
  readonly kind: string;
  readonly note: string;
}

export interface Band {
  readonly measure: "households" | "persons";
  readonly target: number;
  readonly min: number;
  readonly max: number;
}

/** The figures of one grid. */
export interface Figures {
  readonly households: number;
  readonly persons: number;
  readonly load: number;
  readonly buildings: number;
  readonly cells: number;
  readonly areaDm2: number;
  readonly perimeterMm: number;
  readonly alongMm: number;
  /** Connected pieces; 1 for a grid as it should be. */
  readonly pieces: number;
}

/** Cells that changed their grid; `before` and `after` go with `cells`, one by one. */
export interface Moves {
  readonly cells: Int32Array;
  readonly before: Int32Array;
  readonly after: Int32Array;
}

export interface GridEdit {
  readonly id: number;
  readonly before: GridRecord | null;
  readonly after: GridRecord | null;
}

/** What changed on the map: edges that became or ceased to be a border, cells and grids to look at anew. */
export interface Touched {
  readonly cells: readonly number[];
  readonly edges: readonly number[];
  readonly grids: ReadonlySet<number>;
}

/** What is counted over the whole plan. */
export interface Tally {
  readonly inBand: number;
  readonly inPieces: number;
  /** Cells in no grid. */
  readonly unassigned: number;
  readonly compoundsSplit: number;
}

const NO_CELL = -1;
const IN_BAND = 1;
const IN_PIECES = 2;

/** An assignment of cells to grids with its figures, patched by what flows from one grid to another. */
export class PlanModel {
  readonly ground: Ground;
  readonly band: Band;
  readonly assignment: Int32Array;
  readonly grids = new Map<number, GridRecord>();
  readonly pinned: Uint8Array;
  /** Load of each cell in the measure of the standard. */
  readonly load: Int32Array;
  readonly #sums: Sums;
  // The cells of a grid as a list with two ways, so that a cell leaves it without a search.
  readonly #next: Int32Array;
  readonly #previous: Int32Array;
  readonly #stamp: Int32Array;
  #visit = 0;
  // Counted once and kept up by every change: looking at all grids and compounds again would take longer than a stroke.
  #counted = { inBand: 0, inPieces: 0, unassigned: 0, compoundsSplit: 0 };
  readonly #judged = new Map<number, number>();
  readonly #split: Uint8Array;

  constructor(ground: Ground, band: Band, load: Int32Array, assignment: Int32Array, grids: Iterable<GridRecord>) {
    this.ground = ground;
    this.band = band;
    this.load = load;
    this.assignment = new Int32Array(ground.cells).fill(UNASSIGNED);
    this.pinned = new Uint8Array(ground.cells);
    this.#next = new Int32Array(ground.cells).fill(NO_CELL);
    this.#previous = new Int32Array(ground.cells).fill(NO_CELL);
    this.#stamp = new Int32Array(ground.cells);
    this.#sums = new Sums();
    for (const grid of grids) this.grids.set(grid.id, grid);
    const touched = new Set<number>();
    for (let cell = 0; cell < ground.cells; cell += 1) {
      const grid = at(assignment, cell);
      if (grid !== UNASSIGNED) {
        this.#put(cell, grid);
        touched.add(grid);
      }
    }
    this.#borders();
    for (const grid of touched) this.#sums.pieces[grid] = this.#countPieces(grid);
    this.#split = new Uint8Array(ground.compounds.length);
    for (let row = 0; row < this.#split.length; row += 1) this.#judgeCompound(row);
    for (const grid of this.grids.keys()) this.#judge(grid);
    // A retired cell has no area: it is in no grid for good.
    for (let cell = 0; cell < ground.cells; cell += 1) if (this.#isLoose(cell)) this.#counted.unassigned += 1;
  }

  /** Judge the plan as it is now. */
  get tally(): Tally {
    return this.#counted;
  }

  /** Whether an edge lies between two grids, or between a grid and no grid. */
  isBorder(a: number, b: number): boolean {
    return this.assignment[a] !== this.assignment[b];
  }

  /** Say what a grid is like; zeros for a grid without cells. */
  figures(grid: number): Figures {
    const s = this.#sums;
    s.reach(grid);
    return {
      households: at(s.households, grid),
      persons: at(s.persons, grid),
      load: at(s.load, grid),
      buildings: at(s.buildings, grid),
      cells: at(s.cells, grid),
      areaDm2: at(s.areaDm2, grid),
      perimeterMm: at(s.perimeterMm, grid),
      alongMm: at(s.alongMm, grid),
      pieces: at(s.pieces, grid),
    };
  }

  inBand(grid: number): boolean {
    if ((this.grids.get(grid)?.kind ?? "") !== "") return true;
    const { load } = this.figures(grid);
    return load >= this.band.min && load <= this.band.max;
  }

  /** List the cells of a grid, in no order. */
  cellsOf(grid: number): number[] {
    const found: number[] = [];
    for (let cell = this.#sums.first(grid); cell !== NO_CELL; cell = at(this.#next, cell)) found.push(cell);
    return found;
  }

  /** List the pieces of a grid, the one with most households first. */
  piecesOf(grid: number): number[][] {
    const pieces: number[][] = [];
    this.#walk(grid, (cells) => pieces.push(cells));
    const weight = (cells: readonly number[]): number => cells.reduce((sum, c) => sum + at(this.ground.households, c), 0);
    return pieces.sort((p, q) => weight(q) - weight(p));
  }

  /** Move cells; those that are there already are left out of the answer. */
  move(cells: Iterable<number>, to: number): Moves {
    const moved: number[] = [];
    for (const cell of new Set(cells)) if (this.assignment[cell] !== to) moved.push(cell);
    moved.sort((a, b) => a - b);
    return {
      cells: Int32Array.from(moved),
      before: Int32Array.from(moved, (cell) => at(this.assignment, cell)),
      after: new Int32Array(moved.length).fill(to),
    };
  }

  /** Carry out moves, and changes of what is said of grids; `back` takes them back. */
  apply(moves: Moves, grids: readonly GridEdit[] = [], back = false): Touched {
    const target = back ? moves.before : moves.after;
    const edges = new Set<number>();
    const touched = new Set<number>();
    const compounds = new Set<number>();
    for (let k = 0; k < moves.cells.length; k += 1) {
      const cell = at(moves.cells, k);
      const to = at(target, k);
      const from = at(this.assignment, cell);
      if (from === to) continue;
      compounds.add(at(this.ground.compound, cell));
      if (from !== UNASSIGNED) touched.add(from);
      if (to !== UNASSIGNED) touched.add(to);
      this.#flow(cell, from, to, edges);
    }
    for (const grid of touched) this.#sums.pieces[grid] = this.#countPieces(grid);
    for (const { id, before, after } of grids) {
      const record = back ? before : after;
      if (record === null) this.grids.delete(id);
      else this.grids.set(id, record);
      touched.add(id);
    }
    for (const grid of touched) this.#judge(grid);
    for (const row of compounds) if (row >= 0) this.#judgeCompound(row);
    return { cells: Array.from(moves.cells), edges: [...edges], grids: touched };
  }

  /** Whether a compound lies in more than one grid though one could hold it; see the report of the service. */
  isSplit(compound: number): boolean {
    const { compoundPtr, compoundCells } = this.ground;
    let first = UNASSIGNED;
    let load = 0;
    let several = false;
    for (let k = at(compoundPtr, compound); k < at(compoundPtr, compound + 1); k += 1) {
      const cell = at(compoundCells, k);
      const grid = at(this.assignment, cell);
      load += at(this.load, cell);
      if (grid === UNASSIGNED) continue;
      if (first === UNASSIGNED) first = grid;
      else if (grid !== first) several = true;
    }
    return several && load <= this.band.max;
  }

  #judge(grid: number): void {
    const known = this.grids.has(grid);
    const now = known ? (this.inBand(grid) ? IN_BAND : 0) | (this.figures(grid).pieces > 1 ? IN_PIECES : 0) : 0;
    const before = this.#judged.get(grid) ?? 0;
    if (known) this.#judged.set(grid, now);
    else this.#judged.delete(grid);
    this.#counted.inBand += (now & IN_BAND) - (before & IN_BAND);
    this.#counted.inPieces += ((now & IN_PIECES) - (before & IN_PIECES)) / IN_PIECES;
  }

  #judgeCompound(row: number): void {
    const now = this.isSplit(row) ? 1 : 0;
    this.#counted.compoundsSplit += now - at(this.#split, row);
    this.#split[row] = now;
  }

  #isLoose(cell: number): boolean {
    return this.assignment[cell] === UNASSIGNED && at(this.ground.areaDm2, cell) > 0;
  }

  #put(cell: number, grid: number): void {
    const { ground } = this;
    const s = this.#sums;
    s.reach(grid);
    this.assignment[cell] = grid;
    const head = s.first(grid);
    this.#previous[cell] = NO_CELL;
    this.#next[cell] = head;
    if (head !== NO_CELL) this.#previous[head] = cell;
    s.head[grid] = cell;
    s.add(grid, ground, this.load, cell, 1);
  }

  #take(cell: number, grid: number): void {
    const s = this.#sums;
    const [before, after] = [at(this.#previous, cell), at(this.#next, cell)];
    if (before === NO_CELL) s.head[grid] = after;
    else this.#next[before] = after;
    if (after !== NO_CELL) this.#previous[after] = before;
    s.add(grid, this.ground, this.load, cell, -1);
    this.assignment[cell] = UNASSIGNED;
  }

  #flow(cell: number, from: number, to: number, edges: Set<number>): void {
    const { indptr, neighbor, lengthMm, alongMm, outerMm, edge } = this.ground;
    const s = this.#sums;
    if (to !== UNASSIGNED) s.reach(to);
    for (let k = at(indptr, cell); k < at(indptr, cell + 1); k += 1) {
      const other = at(this.assignment, at(neighbor, k));
      const between = at(edge, k);
      const [length, along] = [at(lengthMm, between), at(alongMm, between)];
      s.border(from, other, length, along, -1);
      s.border(to, other, length, along, 1);
      edges.add(between);
    }
    s.outer(from, at(outerMm, cell), -1);
    s.outer(to, at(outerMm, cell), 1);
    if (this.#isLoose(cell)) this.#counted.unassigned -= 1;
    if (from !== UNASSIGNED) this.#take(cell, from);
    if (to !== UNASSIGNED) this.#put(cell, to);
    if (this.#isLoose(cell)) this.#counted.unassigned += 1;
  }

  /** Measure all borders once. */
  #borders(): void {
    const { edges, ends, lengthMm, alongMm, outerMm, cells } = this.ground;
    for (let cell = 0; cell < cells; cell += 1) this.#sums.outer(at(this.assignment, cell), at(outerMm, cell), 1);
    for (let edge = 0; edge < edges; edge += 1) {
      const [own, other] = [at(this.assignment, at(ends, 2 * edge)), at(this.assignment, at(ends, 2 * edge + 1))];
      this.#sums.border(own, other, at(lengthMm, edge), at(alongMm, edge), 1);
    }
  }

  #countPieces(grid: number): number {
    let pieces = 0;
    this.#walk(grid, () => (pieces += 1));
    return pieces;
  }

  #walk(grid: number, piece: (cells: number[]) => void): void {
    const { indptr, neighbor } = this.ground;
    this.#visit += 1;
    for (let seed = this.#sums.first(grid); seed !== NO_CELL; seed = at(this.#next, seed)) {
      if (this.#stamp[seed] === this.#visit) continue;
      const reached = [seed];
      this.#stamp[seed] = this.#visit;
      for (let head = 0; head < reached.length; head += 1) {
        const cell = reached[head] as number;
        for (let k = at(indptr, cell); k < at(indptr, cell + 1); k += 1) {
          const other = at(neighbor, k);
          if (this.assignment[other] !== grid || this.#stamp[other] === this.#visit) continue;
          this.#stamp[other] = this.#visit;
          reached.push(other);
        }
      }
      piece(reached);
    }
  }
}

/** Sums by grid; arrays grow with the highest id. */
class Sums {
  households = new Float64Array(0);
  persons = new Float64Array(0);
  load = new Float64Array(0);
  buildings = new Float64Array(0);
  cells = new Float64Array(0);
  areaDm2 = new Float64Array(0);
  perimeterMm = new Float64Array(0);
  alongMm = new Float64Array(0);
  pieces = new Float64Array(0);
  head = new Int32Array(0);

  /** Make room for a grid. */
  reach(grid: number): void {
    if (grid < this.head.length) return;
    const size = Math.max(grid + 1, 2 * this.head.length, 64);
    const grown = (old: Float64Array): Float64Array<ArrayBuffer> => {
      const values = new Float64Array(size);
      values.set(old);
      return values;
    };
    this.households = grown(this.households);
    this.persons = grown(this.persons);
    this.load = grown(this.load);
    this.buildings = grown(this.buildings);
    this.cells = grown(this.cells);
    this.areaDm2 = grown(this.areaDm2);
    this.perimeterMm = grown(this.perimeterMm);
    this.alongMm = grown(this.alongMm);
    this.pieces = grown(this.pieces);
    const head = new Int32Array(size).fill(NO_CELL);
    head.set(this.head);
    this.head = head;
  }

  first(grid: number): number {
    return this.head[grid] ?? NO_CELL;
  }

  add(grid: number, ground: Ground, load: Int32Array, cell: number, sign: 1 | -1): void {
    this.households[grid] = at(this.households, grid) + sign * at(ground.households, cell);
    this.persons[grid] = at(this.persons, grid) + sign * at(ground.persons, cell);
    this.load[grid] = at(this.load, grid) + sign * at(load, cell);
    this.buildings[grid] = at(this.buildings, grid) + sign * at(ground.buildings, cell);
    this.cells[grid] = at(this.cells, grid) + sign;
    this.areaDm2[grid] = at(this.areaDm2, grid) + sign * at(ground.areaDm2, cell);
  }

  /** Count a shared border for both sides, or take it off; inside one grid it counts for nothing. */
  border(own: number, other: number, length: number, along: number, sign: 1 | -1): void {
    if (own === other) return;
    for (const grid of [own, other]) {
      if (grid === UNASSIGNED) continue;
      this.perimeterMm[grid] = at(this.perimeterMm, grid) + sign * length;
      this.alongMm[grid] = at(this.alongMm, grid) + sign * along;
    }
  }

  outer(grid: number, length: number, sign: 1 | -1): void {
    if (grid !== UNASSIGNED) this.perimeterMm[grid] = at(this.perimeterMm, grid) + sign * length;
  }
}
