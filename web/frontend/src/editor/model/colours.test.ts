// Colours: neighbours differ, an edit changes few, and every cell can be found by its place.
import { describe, expect, it } from "vitest";
import { Colours, FILLS } from "./colours";
import { readGround } from "./ground";
import { lattice, record } from "./lattice.fixture";
import { Places, isInside } from "./places";
import { PlanModel, UNASSIGNED } from "./plan";
import { block, wholeCompounds } from "./reach";
import { bestPartner, problemsOf, verdict } from "./suggest";

const BAND = { measure: "households", target: 40, min: 20, max: 70 } as const;
const ground = readGround(lattice(8, 8));

function quarters(): PlanModel {
  const assignment = Int32Array.from({ length: 64 }, (_, cell) => 1 + Math.floor((cell % 8) / 2) + 4 * Math.floor(cell / 16));
  return new PlanModel(ground, BAND, ground.households, assignment, Array.from({ length: 16 }, (_, k) => record(k + 1)));
}

function clashes(plan: PlanModel, colours: Colours): number {
  let found = 0;
  for (let a = 0; a < ground.cells; a += 1)
    for (let k = ground.indptr[a] as number; k < (ground.indptr[a + 1] as number); k += 1) {
      const b = ground.neighbor[k] as number;
      const [p, q] = [plan.assignment[a] as number, plan.assignment[b] as number];
      if (p !== q && p !== UNASSIGNED && q !== UNASSIGNED && colours.of(p) === colours.of(q)) found += 1;
    }
  return found;
}

describe("colours", () => {
  it("differ between neighbours, before and after strokes", () => {
    const plan = quarters();
    const colours = new Colours(plan);
    expect(clashes(plan, colours)).toBe(0);
    expect(Math.max(...[...plan.grids.keys()].map((grid) => colours.of(grid)))).toBeLessThan(FILLS.length);
    for (const cell of [2, 18, 34, 50, 27, 28]) {
      const touched = plan.apply(plan.move([cell], 6));
      colours.update(touched.grids);
      expect(clashes(plan, colours)).toBe(0);
    }
  });

  it("stay as they are where nothing clashes", () => {
    const plan = quarters();
    const colours = new Colours(plan);
    const touched = plan.apply(plan.move([2], 1));
    expect(colours.update(touched.grids)).toEqual([]);
  });
});

describe("places", () => {
  const places = new Places(ground);
  it("find cells in boxes, circles and rings", () => {
    expect(places.inBox(0, 0, 1e-4, 1e-4).sort((a, b) => a - b)).toEqual([0, 1, 8, 9]);
    expect(places.around([3e-4, 3e-4], 1.05e-4).sort((a, b) => a - b)).toEqual([19, 26, 27, 28, 35]);
    const ring = [[-1e-5, -1e-5], [1.9e-4, -1e-5], [-1e-5, 1.9e-4]] as const;
    expect(places.inRing(ring).sort((a, b) => a - b)).toEqual([0, 1, 8]);
    expect(places.nearest([3.2e-4, 0.1e-4])).toBe(3);
    expect(isInside([5, 5], ring)).toBe(false);
  });

  it("agree with looking at every cell", () => {
    for (let x = -1; x < 9; x += 0.7) {
      const centre = [x * 1e-4, (8 - x) * 0.9e-4] as const;
      const near = Array.from({ length: 64 }, (_, cell) => cell).filter((cell) => {
        const [lon, lat] = places.of(cell);
        return Math.hypot((lon - centre[0]) * places.squeeze, lat - centre[1]) <= 2.3e-4;
      });
      expect(places.around(centre, 2.3e-4).sort((a, b) => a - b)).toEqual(near);
    }
  });
});

describe("reach", () => {
  it("takes a compound whole where a grid can hold it", () => {
    const plan = quarters();
    expect(wholeCompounds(plan, [3]).sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    const tight = new PlanModel(ground, { ...BAND, max: 20 }, ground.households, plan.assignment, plan.grids.values());
    expect(wholeCompounds(tight, [3])).toEqual([3]);
  });

  it("fills up to the next road", () => {
    const plan = quarters();
    // Roads run between every second pair of diagonals.
    expect(block(plan, 0)).toEqual([0]);
    expect(block(plan, 1).sort((a, b) => a - b)).toEqual([1, 2, 8, 9, 16]);
  });
});

describe("suggestions", () => {
  it("name the neighbour that makes the best grid, and what is wrong", () => {
    const plan = quarters();
    const partner = bestPartner(plan, 1);
    expect([2, 5]).toContain(partner);
    expect(problemsOf(plan, 16)).toEqual(["above"]);
    expect(verdict(plan)).toMatchObject({ grids: 16, inPieces: 0, unassigned: 0, compoundsSplit: 1 });
    plan.apply(plan.move([0, 9], UNASSIGNED));
    expect(verdict(plan).unassigned).toBe(2);
  });
});
