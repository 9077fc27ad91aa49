import { at } from "./ground";
import { type PlanModel, UNASSIGNED } from "./plan";

/** Fills that stay apart for colour-blind readers: the same as on the maps that the service draws. */
export const FILLS = ["#9ebceb", "#f1e2af", "#b3eccd", "#dbb1cc", "#e6ac97", "#e0ecf6", "#c4c59c", "#c3bce6"] as const;

/** The first six are enough for nearly every map; the others help where grids lie in pieces. */
const USUAL = 6;
const NO_COLOUR = 255;

/** Gives neighbouring grids different colours, and changes as few as an edit asks for. */
export class Colours {
  readonly #plan: PlanModel;
  readonly #colour = new Map<number, number>();

  constructor(plan: PlanModel) {
    this.#plan = plan;
    const grids = [...plan.grids.keys()].sort((a, b) => a - b);
    const beside = this.#neighbours();
    // Grids with many neighbours first (Welsh and Powell 1967): the later ones then find a colour more easily.
    const order = grids.sort((a, b) => (beside.get(b)?.size ?? 0) - (beside.get(a)?.size ?? 0) || a - b);
    for (const grid of order) this.#colour.set(grid, this.#free(grid, beside.get(grid) ?? new Set()));
  }

  /** Return the place of a grid's colour in `FILLS`; none for cells in no grid. */
  of(grid: number): number {
    return grid === UNASSIGNED ? NO_COLOUR : (this.#colour.get(grid) ?? NO_COLOUR);
  }

  /** Look at grids that an edit touched; return those with another colour than before. */
  update(grids: Iterable<number>): number[] {
    const changed: number[] = [];
    for (const grid of [...grids].sort((a, b) => a - b)) {
      if (!this.#plan.grids.has(grid)) {
        this.#colour.delete(grid);
        continue;
      }
      const beside = this.#besideOf(grid);
      const own = this.#colour.get(grid);
      if (own !== undefined && ![...beside].some((other) => this.#colour.get(other) === own)) continue;
      this.#colour.set(grid, this.#free(grid, beside));
      changed.push(grid);
    }
    return changed;
  }

  #free(grid: number, beside: ReadonlySet<number>): number {
    const uses = new Array<number>(FILLS.length).fill(0);
    for (const other of beside) {
      const colour = this.#colour.get(other);
      if (colour !== undefined) uses[colour] = (uses[colour] ?? 0) + 1;
    }
    const first = grid % USUAL;
    for (let k = 0; k < USUAL; k += 1) if (uses[(first + k) % USUAL] === 0) return (first + k) % USUAL;
    return uses.indexOf(Math.min(...uses));
  }

  #besideOf(grid: number): Set<number> {
    const { assignment, ground } = this.#plan;
    const beside = new Set<number>();
    for (const cell of this.#plan.cellsOf(grid)) {
      for (let k = at(ground.indptr, cell); k < at(ground.indptr, cell + 1); k += 1) {
        const other = at(assignment, at(ground.neighbor, k));
        if (other !== grid && other !== UNASSIGNED) beside.add(other);
      }
    }
    return beside;
  }

  #neighbours(): Map<number, Set<number>> {
    const { assignment, ground } = this.#plan;
    const beside = new Map<number, Set<number>>();
    for (let cell = 0; cell < ground.cells; cell += 1) {
      const own = at(assignment, cell);
      if (own === UNASSIGNED) continue;
      for (let k = at(ground.indptr, cell); k < at(ground.indptr, cell + 1); k += 1) {
        const other = at(assignment, at(ground.neighbor, k));
        if (other === own || other === UNASSIGNED) continue;
        const known = beside.get(own) ?? new Set<number>();
        beside.set(own, known.add(other));
      }
    }
    return beside;
  }
}
