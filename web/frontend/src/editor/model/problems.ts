import { at } from "./ground";
import { type PlanModel, UNASSIGNED } from "./plan";
import { problemsOf } from "./suggest";

/** One thing to look at. */
export interface Trouble {
  readonly kind: "unassigned" | "pieces" | "above" | "below" | "split";
  /** What it is about, the same as long as it is there: a grid, a compound, or the lowest cell in no grid. */
  readonly key: string;
  readonly cells: readonly number[];
  readonly grids: readonly number[];
  readonly compound: number | null;
}

const ORDER: readonly Trouble["kind"][] = ["unassigned", "pieces", "above", "below", "split"];

/** List everything that is wrong with the plan: the worst kind first, then by community and number. */
export function troublesOf(plan: PlanModel): Trouble[] {
  const found = [...loose(plan), ...grids(plan), ...compounds(plan)];
  const home = ({ cells }: Trouble): number => at(plan.ground.community, cells[0] ?? 0);
  return found.sort((a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind) || home(a) - home(b) || (a.grids[0] ?? 0) - (b.grids[0] ?? 0));
}

/** Name the compounds that are cut by a grid's border though one grid could hold them. */
export function cutCompounds(plan: PlanModel, grid: number): number[] {
  const rows = new Set(plan.cellsOf(grid).map((cell) => at(plan.ground.compound, cell)));
  return [...rows].filter((row) => row >= 0 && plan.isSplit(row)).sort((a, b) => a - b);
}

function grids(plan: PlanModel): Trouble[] {
  return [...plan.grids.keys()].sort((a, b) => a - b).flatMap((grid) =>
    problemsOf(plan, grid).map((kind) => ({ kind, key: `${kind} ${grid}`, cells: plan.cellsOf(grid), grids: [grid], compound: null })),
  );
}

function compounds(plan: PlanModel): Trouble[] {
  const { compounds: all, compoundPtr, compoundCells } = plan.ground;
  return all.flatMap((_, row): Trouble[] => {
    if (!plan.isSplit(row)) return [];
    const cells = Array.from(compoundCells.subarray(at(compoundPtr, row), at(compoundPtr, row + 1)));
    const held = [...new Set(cells.map((cell) => at(plan.assignment, cell)))].filter((grid) => grid !== UNASSIGNED).sort((a, b) => a - b);
    return [{ kind: "split", key: `split ${row}`, cells, grids: held, compound: row }];
  });
}

/** Connected cells in no grid, each group once; a retired cell has no area and is in no grid for good. */
function loose({ ground, assignment }: PlanModel): Trouble[] {
  const seen = new Uint8Array(ground.cells);
  const isLoose = (cell: number): boolean => assignment[cell] === UNASSIGNED && at(ground.areaDm2, cell) > 0 && seen[cell] === 0;
  const found: Trouble[] = [];
  for (let seed = 0; seed < ground.cells; seed += 1) {
    if (!isLoose(seed)) continue;
    const cells = [seed];
    seen[seed] = 1;
    for (let head = 0; head < cells.length; head += 1) {
      const cell = cells[head] as number;
      for (let k = at(ground.indptr, cell); k < at(ground.indptr, cell + 1); k += 1) {
        const other = at(ground.neighbor, k);
        if (!isLoose(other) || ground.community[other] !== ground.community[cell]) continue;
        seen[other] = 1;
        cells.push(other);
      }
    }
    found.push({ kind: "unassigned", key: `unassigned ${seed}`, cells, grids: [], compound: null });
  }
  return found;
}
