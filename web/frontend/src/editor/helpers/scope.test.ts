import { describe, expect, it } from "vitest";
import { readGround } from "../model/ground";
import { lattice, record } from "../model/lattice.fixture";
import { type Band, PlanModel } from "../model/plan";
import { troublesOf } from "../model/problems";
import { adoption, fittingParts, gridsOf, unlocked } from "./scope";

const BAND: Band = { measure: "households", target: 30, min: 20, max: 40 };

/** Sixteen cells in two grids, the upper rows in the first. */
function model(): PlanModel {
  const ground = readGround(lattice(4, 4));
  const cells = Int32Array.from({ length: 16 }, (_, cell) => (cell < 8 ? 1 : 2));
  return new PlanModel(ground, BAND, ground.households, cells, [record(1), record(2)]);
}

describe("the scope of the helpers", () => {
  it("is the chosen grids that are there, a community, or all", () => {
    const plan = model();
    expect(gridsOf(plan, { kind: "chosen" }, new Set([2, 99]))).toEqual([2]);
    expect(gridsOf(plan, { kind: "all" }, new Set())).toEqual([1, 2]);
    expect(gridsOf(plan, { kind: "community", community: 0 }, new Set())).toEqual([1, 2]);
    expect(gridsOf(plan, { kind: "community", community: 1 }, new Set())).toEqual([]);
  });

  it("leaves out what is locked", () => {
    const plan = model();
    const record = plan.grids.get(1);
    if (record !== undefined) plan.grids.set(1, { ...record, locked: true });
    expect(unlocked(plan, [1, 2])).toEqual([2]);
  });

  it("splits into a number of parts that are in the band where there is one", () => {
    const plan = model();
    expect(plan.figures(2).load).toBe(100);
    expect(fittingParts(plan, 2)).toBe(3);
    expect(fittingParts(plan, 1)).toBe(2);
  });

  it("adopts the cells that differ, and none that the alternative leaves in no grid", () => {
    const plan = model();
    const wanted = Int32Array.from(plan.assignment);
    wanted[0] = 2;
    wanted[1] = -1;
    wanted[5] = -2;
    expect(adoption(plan, wanted)).toEqual({ kind: "adopt", cells: [0, 5], grids: [2, -2] });
    expect(adoption(plan, Int32Array.from(plan.assignment))).toBeNull();
  });
});

describe("what is wrong with a plan", () => {
  it("lists each group of cells in no grid once, before all else", () => {
    const plan = model();
    const before = troublesOf(plan).length;
    plan.apply(plan.move([0, 1, 15], -1));
    const loose = troublesOf(plan).filter(({ kind }) => kind === "unassigned");
    expect(loose.map(({ cells }) => [...cells].sort((a, b) => a - b))).toEqual([[0, 1], [15]]);
    expect(troublesOf(plan)[0]?.kind).toBe("unassigned");
    expect(troublesOf(plan).length).toBeGreaterThanOrEqual(before);
  });

  it("names a grid in pieces", () => {
    const plan = model();
    plan.apply(plan.move([15], 1));
    const pieces = troublesOf(plan).filter(({ kind }) => kind === "pieces");
    expect(pieces.map(({ grids }) => grids[0])).toEqual([1]);
  });
});
