import { at } from "./ground";
import { type PlanModel, type Tally, UNASSIGNED } from "./plan";

/** What is wrong with a grid, the worst first. */
export const PROBLEMS = ["pieces", "above", "below", "split"] as const;
export type Problem = (typeof PROBLEMS)[number];

/** Metres of border that a grid shares with each grid of its community. */
export function sharedBorders(plan: PlanModel, grid: number): Map<number, number> {
  const { ground, assignment } = plan;
  const community = plan.grids.get(grid)?.community;
  const shared = new Map<number, number>();
  for (const cell of plan.cellsOf(grid)) {
    for (let k = at(ground.indptr, cell); k < at(ground.indptr, cell + 1); k += 1) {
      const other = at(assignment, at(ground.neighbor, k));
      if (other === grid || other === UNASSIGNED || plan.grids.get(other)?.community !== community) continue;
      shared.set(other, (shared.get(other) ?? 0) + at(ground.lengthMm, at(ground.edge, k)) / 1000);
    }
  }
  return shared;
}

/** The neighbour to merge with: together nearest to the target, then with the longest border; none if locked. */
export function bestPartner(plan: PlanModel, grid: number): number | null {
  const own = plan.figures(grid).load;
  const open = [...sharedBorders(plan, grid)].filter(([other]) => !plan.grids.get(other)?.locked);
  const off = (other: number): number => Math.abs(own + plan.figures(other).load - plan.band.target);
  const [best] = open.sort((a, b) => off(a[0]) - off(b[0]) || b[1] - a[1] || a[0] - b[0]);
  return best?.[0] ?? null;
}

/** Say what is wrong with a grid. */
export function problemsOf(plan: PlanModel, grid: number): Problem[] {
  const found: Problem[] = [];
  const { pieces, load } = plan.figures(grid);
  if (pieces > 1) found.push("pieces");
  if (!plan.inBand(grid)) found.push(load > plan.band.max ? "above" : "below");
  return found;
}

/** Verdict of the whole plan. */
export interface Verdict extends Tally {
  readonly grids: number;
}

/** Judge the plan as it is now. */
export function verdict(plan: PlanModel): Verdict {
  return { grids: plan.grids.size, ...plan.tally };
}
