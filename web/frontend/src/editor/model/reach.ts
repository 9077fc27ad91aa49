import { at } from "./ground";
import { type PlanModel, UNASSIGNED } from "./plan";

/** Why a cell may not go into a grid. */
export type Barred = "locked" | "pinned" | "community" | "target-locked";

/** What of some cells may go into a grid, and what stands in the way of the others. */
export interface Allowed {
  readonly cells: readonly number[];
  readonly barred: ReadonlySet<Barred>;
}

/** Widen cells to their compounds, where a grid could hold one: a compound stays whole unless asked otherwise. */
export function wholeCompounds(plan: PlanModel, cells: Iterable<number>): number[] {
  const { ground, band, load } = plan;
  const found = new Set<number>();
  const seen = new Set<number>();
  for (const cell of cells) {
    found.add(cell);
    const compound = at(ground.compound, cell);
    if (compound < 0 || seen.has(compound)) continue;
    seen.add(compound);
    const all = Array.from(ground.compoundCells.subarray(at(ground.compoundPtr, compound), at(ground.compoundPtr, compound + 1)));
    const own = all.filter((other) => ground.community[other] === ground.community[cell]);
    if (own.reduce((sum, other) => sum + at(load, other), 0) <= band.max) for (const other of own) found.add(other);
  }
  return [...found];
}

/** Leave out cells that are locked, or of another community than the grid. */
export function allowed(plan: PlanModel, cells: Iterable<number>, grid: number): Allowed {
  const barred = new Set<Barred>();
  const target = plan.grids.get(grid);
  if (target?.locked) return { cells: [], barred: new Set(["target-locked"]) };
  const free: number[] = [];
  for (const cell of cells) {
    const from = at(plan.assignment, cell);
    if (from === grid) continue;
    if (target !== undefined && plan.ground.community[cell] !== target.community) barred.add("community");
    else if (plan.pinned[cell] === 1) barred.add("pinned");
    else if (from !== UNASSIGNED && plan.grids.get(from)?.locked) barred.add("locked");
    else free.push(cell);
  }
  return { cells: free, barred };
}

/** Fill from a cell over borders that run along nothing, inside one community: the block between roads. */
export function block(plan: PlanModel, seed: number): number[] {
  const { indptr, neighbor, edge, lengthMm, alongMm, community } = plan.ground;
  const found = [seed];
  const seen = new Set(found);
  for (let head = 0; head < found.length; head += 1) {
    const cell = found[head] as number;
    for (let k = at(indptr, cell); k < at(indptr, cell + 1); k += 1) {
      const other = at(neighbor, k);
      if (seen.has(other) || community[other] !== community[seed]) continue;
      if (2 * at(alongMm, at(edge, k)) >= at(lengthMm, at(edge, k))) continue;
      seen.add(other);
      found.push(other);
    }
  }
  return found;
}
