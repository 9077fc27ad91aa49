import type { DivisionInfo } from "../model/divided";
import { type Ground, at } from "../model/ground";
import { UNASSIGNED } from "../model/plan";

/** A plan as cells and divisions say it. */
export interface Sides {
  readonly cells: Int32Array;
  readonly divisions: readonly DivisionInfo[];
}

/**
 * Say for every cell of one plan which grid of another it lies in. Where only the other plan divides a cell, or
 * divides it differently, the part with most households speaks for all of it. `base` is the number of cells before
 * any was divided.
 */
export function aligned(base: number, own: Sides, other: Sides): Int32Array {
  const theirs = new Map(other.divisions.map((division) => [division.parent, division]));
  const ours = new Map(own.divisions.flatMap((division) => division.children.map(({ cell }) => [cell, division] as const)));
  const same = (division: DivisionInfo): boolean => {
    const found = theirs.get(division.parent);
    return found !== undefined && JSON.stringify(found.children) === JSON.stringify(division.children);
  };
  const speaks = (cell: number): number => {
    const division = theirs.get(cell);
    if (division === undefined) return other.cells[cell] ?? UNASSIGNED;
    const [a, b] = division.children;
    return speaks((b?.households ?? 0) > (a?.households ?? 0) ? (b?.cell ?? -1) : (a?.cell ?? -1));
  };
  const stands = (cell: number): number => {
    const division = ours.get(cell);
    return division === undefined || same(division) ? cell : stands(division.parent);
  };
  const retired = new Set(own.divisions.map(({ parent }) => parent));
  const live = (cell: number): boolean => !retired.has(cell) && (cell < base || ours.has(cell));
  return Int32Array.from(own.cells, (_, cell) => (live(cell) ? speaks(stands(cell)) : UNASSIGNED));
}

/** Find for each grid the one of the other plan that gives it most households; area decides for grids without any. */
export function mainOrigins({ households, areaDm2 }: Pick<Ground, "households" | "areaDm2">, own: Int32Array, other: Int32Array): Map<number, number> {
  const pairs = new Map<number, Map<number, [number, number, number]>>();
  for (let cell = 0; cell < own.length; cell += 1) {
    const [grid, from] = [at(own, cell), at(other, cell)];
    if (grid === UNASSIGNED || from === UNASSIGNED) continue;
    const origins = pairs.get(grid) ?? new Map<number, [number, number, number]>();
    pairs.set(grid, origins);
    const sums = origins.get(from) ?? [0, 0, 0];
    origins.set(from, [sums[0] + at(households, cell), sums[1] + 1, sums[2] + at(areaDm2, cell)]);
  }
  return new Map([...pairs].map(([grid, origins]) => [grid, largest(origins)]));
}

/** Say of each cell whether it is in a grid that does not come from where the cell comes from. */
export function changed(ground: Pick<Ground, "households" | "areaDm2">, own: Int32Array, other: Int32Array): Uint8Array {
  const origin = mainOrigins(ground, own, other);
  return Uint8Array.from(own, (grid, cell) => {
    const from = at(other, cell);
    if (grid === UNASSIGNED) return from === UNASSIGNED ? 0 : 1;
    return origin.get(grid) === from ? 0 : 1;
  });
}

function largest(origins: ReadonlyMap<number, readonly [number, number, number]>): number {
  const inhabited = [...origins.values()].some(([homes]) => homes > 0);
  const [a, b] = inhabited ? ([0, 1] as const) : ([2, 1] as const);
  const order = [...origins].sort(([i, p], [j, q]) => q[a] - p[a] || q[b] - p[b] || i - j);
  return order[0]?.[0] ?? UNASSIGNED;
}
