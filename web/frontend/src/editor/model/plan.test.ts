// The figures of a plan in the page: patched by what flows, they equal those counted from the beginning.
import { describe, expect, it } from "vitest";
import { lattice, record } from "./lattice.fixture";
import { type Ground, readGround } from "./ground";
import { type Figures, PlanModel, type Tally, UNASSIGNED } from "./plan";

const BAND = { measure: "households", target: 30, min: 20, max: 60 } as const;
const GRIDS = [1, 2, 3, 9];

function made(assignment: ArrayLike<number>, ground: Ground): PlanModel {
  return new PlanModel(ground, BAND, ground.households, Int32Array.from(assignment), GRIDS.map((id) => record(id)));
}

function everything(plan: PlanModel): Record<number, Figures> & { tally: Tally } {
  return { ...Object.fromEntries(GRIDS.map((grid) => [grid, plan.figures(grid)])), tally: { ...plan.tally } };
}

describe("ground", () => {
  it("numbers pairs of touching cells once, in the order of the tiles", () => {
    const { indptr, neighbor, edge, edges } = readGround(lattice(3, 2));
    expect(edges).toBe(7);
    const pairs = new Map<number, string[]>();
    for (let a = 0; a < 6; a += 1)
      for (let k = indptr[a] as number; k < (indptr[a + 1] as number); k += 1) {
        const b = neighbor[k] as number;
        const number = edge[k] as number;
        pairs.set(number, [...(pairs.get(number) ?? []), `${Math.min(a, b)}-${Math.max(a, b)}`]);
      }
    expect([...pairs.keys()].sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect([...pairs.entries()].sort((p, q) => p[0] - q[0]).map(([, names]) => names[0])).toEqual(["0-1", "0-3", "1-2", "1-4", "2-5", "3-4", "4-5"]);
    for (const names of pairs.values()) expect(names[0]).toBe(names[1]);
  });

  it("refuses bytes without what it needs", () => {
    expect(() => readGround(new ArrayBuffer(0))).toThrow();
  });
});

describe("plan", () => {
  const ground = readGround(lattice(6, 5));

  it("measures grids", () => {
    const plan = made(Array.from({ length: 30 }, (_, cell) => (cell < 6 ? 1 : 2)), ground);
    expect(plan.figures(1)).toMatchObject({ households: 21, persons: 42, cells: 6, areaDm2: 60_000, perimeterMm: 140_000, pieces: 1 });
    expect(plan.inBand(1)).toBe(true);
    expect(plan.inBand(2)).toBe(false);
    expect(plan.isSplit(0)).toBe(false);
  });

  it("counts pieces", () => {
    const plan = made(Array.from({ length: 30 }, (_, cell) => ([0, 7, 14].includes(cell) ? 1 : 2)), ground);
    expect(plan.figures(1).pieces).toBe(3);
    expect(plan.piecesOf(1).map((cells) => cells[0])).toEqual([14, 7, 0]);
    plan.apply(plan.move([1, 8], 1));
    expect(plan.figures(1).pieces).toBe(1);
    expect(plan.isSplit(0)).toBe(true);
  });

  it("keeps figures true through random moves, and comes back", () => {
    let seed = 3;
    const random = (below: number): number => {
      seed = (seed * 1103515245 + 12345) % 2147483648;
      return Math.floor((seed / 2147483648) * below);
    };
    const first = Array.from({ length: 30 }, () => GRIDS[random(4)] ?? 1);
    const plan = made(first, ground);
    const begin = everything(plan);
    const done = [];
    for (let step = 0; step < 400; step += 1) {
      const cells = Array.from({ length: 1 + random(8) }, () => random(30));
      const moves = plan.move(cells, random(9) === 0 ? UNASSIGNED : (GRIDS[random(4)] ?? 1));
      const touched = plan.apply(moves);
      done.push(moves);
      for (const edge of touched.edges) expect(edge).toBeLessThan(ground.edges);
      if (step % 20 === 0) expect(everything(plan)).toEqual(everything(made(plan.assignment, ground)));
    }
    for (const moves of done.toReversed()) plan.apply(moves, [], true);
    expect(Array.from(plan.assignment)).toEqual(first);
    expect(everything(plan)).toEqual(begin);
  });

  it("knows grids that come and go", () => {
    const plan = made(new Int32Array(30).fill(1), ground);
    const born = { id: 4, before: null, after: record(4, "新网格") };
    plan.apply(plan.move([0], 4), [born]);
    expect(plan.grids.get(4)?.name).toBe("新网格");
    plan.apply({ cells: Int32Array.of(0), before: Int32Array.of(1), after: Int32Array.of(4) }, [born], true);
    expect(plan.grids.has(4)).toBe(false);
    expect(plan.figures(4).cells).toBe(0);
  });
});
