import { describe, expect, it } from "vitest";
import { readGround } from "../model/ground";
import { lattice, record } from "../model/lattice.fixture";
import { PlanModel } from "../model/plan";
import { Stations, type StationsDocument } from "./stations";

const STEP = 1e-4; // of the lattice, degrees: 11.1 m
const METRES = 11.119;

/** Two grids of two rows each; the cells of row y lie y steps north. */
function model(): PlanModel {
  const ground = readGround(lattice(4, 4));
  const cells = Int32Array.from({ length: 16 }, (_, cell) => (cell < 8 ? 1 : 2));
  return new PlanModel(ground, { measure: "households", target: 30, min: 20, max: 40 }, ground.households, cells, [record(1), record(2)]);
}

function told(metres: number, stations: StationsDocument["stations"]): Stations {
  return new Stations({ state: "ready", minutes: 15, metres, categories: ["clinic", "canteen"], stations });
}

describe("the distance to stations", () => {
  it("is the straight line in metres", () => {
    const { ground } = model();
    const stations = told(1000, [[0, 0, 0], [3 * STEP, 3 * STEP, 1]]);
    expect(stations.distance(ground, 0, 0)).toBeCloseTo(0, 6);
    expect(stations.distance(ground, 12, 0)).toBeCloseTo(3 * METRES, 1);
    expect(stations.distance(ground, 0, 1)).toBeCloseTo(3 * Math.SQRT2 * METRES, 1);
    expect(stations.distance(ground, 0, 2)).toBe(Infinity);
  });

  it("names grids most of whose households lie beyond the circle", () => {
    const plan = model();
    const stations = told(2 * METRES, [[1.5 * STEP, 0.5 * STEP, 0], [1.5 * STEP, 1.5 * STEP, 1]]);
    const [only, ...rest] = stations.far(plan);
    expect(rest).toEqual([]);
    // Of row 2 the two cells in the middle are 1.58 steps away, those at the ends 2.12; row 3 is beyond.
    expect(only).toMatchObject({ grid: 2, category: "clinic", beyond: 9 + 12 + 13 + 14 + 15 + 16, households: 100, more: 0 });
    expect(only?.metres).toBeCloseTo(Math.hypot(1.5, 2.5) * METRES, 1);
  });

  it("counts on the circle as reached, and says how many categories are lacking", () => {
    const plan = model();
    expect(told(1000, [[0, 0, 0], [0, 0, 1]]).far(plan)).toEqual([]);
    const away = told(100, [[1, 1, 0], [1, 1, 1]]).far(plan);
    expect(away.map(({ grid, more }) => [grid, more])).toEqual([[1, 1], [2, 1]]);
  });

  it("leaves out grids of a dedicated use, and follows the plan", () => {
    const ground = readGround(lattice(4, 4));
    const cells = Int32Array.from({ length: 16 }, (_, cell) => (cell < 8 ? 1 : 2));
    const plan = new PlanModel(ground, { measure: "households", target: 30, min: 20, max: 40 }, ground.households, cells, [{ ...record(1), kind: "market" }, record(2)]);
    const stations = told(100, [[1, 1, 0]]);
    expect(stations.far(plan).map(({ grid }) => grid)).toEqual([2]);
    plan.apply(plan.move([0, 1, 2, 3, 4, 5, 6, 7], 2));
    expect(stations.far(plan)[0]?.households).toBe(136);
  });
});
