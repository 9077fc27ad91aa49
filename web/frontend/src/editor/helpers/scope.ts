import { at } from "../model/ground";
import { type PlanModel, UNASSIGNED } from "../model/plan";

/** What a helper works on: the chosen grids, one community, or the whole plan. */
export type Scope = { readonly kind: "chosen" } | { readonly kind: "community"; readonly community: number } | { readonly kind: "all" };

/** Figures of the grids of a scope. */
export interface ScopeFigures {
  readonly grids: number;
  readonly inBand: number;
  readonly inPieces: number;
  readonly locked: number;
  readonly load: number;
}

/** List the grids of a scope, by number. */
export function gridsOf(plan: PlanModel, scope: Scope, chosen: ReadonlySet<number>): number[] {
  const all = scope.kind === "chosen" ? [...chosen].filter((grid) => plan.grids.has(grid)) : [...plan.grids.keys()];
  const mine = scope.kind === "community" ? all.filter((grid) => plan.grids.get(grid)?.community === scope.community) : all;
  return mine.sort((a, b) => a - b);
}

/** List the communities that grids lie in, ascending. */
export function communitiesOf(plan: PlanModel, grids: readonly number[]): number[] {
  return [...new Set(grids.map((grid) => plan.grids.get(grid)?.community ?? UNASSIGNED))].filter((home) => home >= 0).sort((a, b) => a - b);
}

/** Leave out locked grids. */
export function unlocked(plan: PlanModel, grids: readonly number[]): number[] {
  return grids.filter((grid) => !plan.grids.get(grid)?.locked);
}

export function figuresOf(plan: PlanModel, grids: readonly number[]): ScopeFigures {
  let [inBand, inPieces, locked, load] = [0, 0, 0, 0];
  for (const grid of grids) {
    const figures = plan.figures(grid);
    if (plan.inBand(grid)) inBand += 1;
    if (figures.pieces > 1) inPieces += 1;
    if (plan.grids.get(grid)?.locked) locked += 1;
    load += figures.load;
  }
  return { grids: grids.length, inBand, inPieces, locked, load };
}

/** Return the number of parts of even load that fit the band best, at least two. */
export function fittingParts(plan: PlanModel, grid: number): number {
  const { load } = plan.figures(grid);
  const { min, max, target } = plan.band;
  const [least, most] = [Math.ceil(load / max), Math.floor(load / min)];
  const wished = Math.round(load / target);
  return Math.max(2, least <= most ? Math.min(most, Math.max(least, wished)) : wished);
}

/** Put the cells of an alternative into an edit: those that would change their grid; null where none would. */
export function adoption(plan: PlanModel, grids: Int32Array): { kind: "adopt"; cells: number[]; grids: number[] } | null {
  const cells: number[] = [];
  for (let cell = 0; cell < Math.min(grids.length, plan.ground.cells); cell += 1) {
    if (at(grids, cell) !== UNASSIGNED && at(grids, cell) !== at(plan.assignment, cell)) cells.push(cell);
  }
  return cells.length === 0 ? null : { kind: "adopt", cells, grids: cells.map((cell) => at(grids, cell)) };
}
