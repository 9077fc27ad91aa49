// Comparison: known strokes mark the cells they should, whatever either plan divided; lists keep their order.
import { beforeAll, describe, expect, it } from "vitest";
import { inLanguage, setWords } from "../../shared/i18n";
import type { DivisionInfo } from "../model/divided";
import type { PlanEntry } from "../api";
import { WORDS_COMPARE } from "../words-compare";
import { aligned, changed, mainOrigins } from "./align";
import type { Descent } from "./answer";
import { stepped } from "./divider";
import { hatch } from "./hatch";
import { choices, linesOf, planName } from "./labels";
import { type Line, arranged } from "./table";

const ints = (...values: number[]): Int32Array => Int32Array.from(values);
const ground = (homes: number[], area = homes.map(() => 100)) => ({ households: ints(...homes), areaDm2: Float64Array.from(area) });

function division(parent: number, children: readonly [number, number], households: readonly [number, number]): DivisionInfo {
  const child = (k: 0 | 1) => ({ cell: children[k], households: households[k], persons: 0, buildings: 0, area_dm2: 50, outer_mm: 0 });
  return { parent, children: [child(0), child(1)], edges: [], outlines: [] };
}

beforeAll(() => setWords("en", inLanguage("en", WORDS_COMPARE)));

describe("what changed", () => {
  it("is nothing between equal plans, and nothing when a grid is divided", () => {
    const old = ints(1, 1, 2, 2, -1);
    expect([...changed(ground([5, 5, 5, 5, 5]), old, old)]).toEqual([0, 0, 0, 0, 0]);
    expect([...changed(ground([5, 5, 5, 5, 5]), ints(1, 9, 2, 2, -1), old)]).toEqual([0, 0, 0, 0, 0]);
  });

  it("is a cell that joined a grid of others, or left or entered all grids", () => {
    const old = ints(1, 1, 1, 2, 2, -1);
    expect([...changed(ground([5, 5, 5, 5, 5, 5]), ints(1, 1, 2, 2, 2, 2), old)]).toEqual([0, 0, 1, 0, 0, 1]);
    expect([...changed(ground([5, 5, 5, 5, 5, 5]), ints(1, 1, 1, 2, -1, 7), old)]).toEqual([0, 0, 0, 0, 1, 1]);
  });

  it("follows households, of grids without any the area, then the lowest number", () => {
    const [own, other] = [ints(1, 1, 1, 2, 2, 3, 3), ints(4, 4, 5, 6, 7, 9, 8)];
    const origins = mainOrigins(ground([1, 1, 9, 0, 0, 3, 3], [1, 1, 1, 10, 20, 1, 1]), own, other);
    expect([...origins]).toEqual([
      [1, 5],
      [2, 7],
      [3, 8],
    ]);
  });
});

describe("plans on each other's cells", () => {
  const cells = ints(1, 1, 2);

  it("are the same without divisions", () => {
    expect([...aligned(3, { cells, divisions: [] }, { cells: ints(7, 8, -1), divisions: [] })]).toEqual([7, 8, -1]);
  });

  it("take the grid of the divided cell for parts that the other does not know", () => {
    const own = { cells: ints(1, -1, 2, 1, 2), divisions: [division(1, [3, 4], [5, 6])] };
    expect([...aligned(3, own, { cells: ints(7, 8, 9), divisions: [] })]).toEqual([7, -1, 9, 8, 8]);
  });

  it("take the part with most households where only the other divides", () => {
    const other = { cells: ints(7, -1, 9, 5, 6), divisions: [division(1, [3, 4], [10, 20])] };
    expect([...aligned(3, { cells, divisions: [] }, other)]).toEqual([7, 6, 9]);
  });

  it("go part by part where both divide alike, and by the whole where they do not", () => {
    const own = { cells: ints(1, -1, 2, 1, 2), divisions: [division(1, [3, 4], [5, 6])] };
    const alike = { cells: ints(7, -1, 9, 5, 6), divisions: [division(1, [3, 4], [5, 6])] };
    expect([...aligned(3, own, alike)]).toEqual([7, -1, 9, 5, 6]);
    const unlike = { cells: ints(7, -1, 9, 5, 6), divisions: [division(1, [3, 4], [8, 3])] };
    expect([...aligned(3, own, unlike)]).toEqual([7, -1, 9, 5, 5]);
  });

  it("leave out parts of divisions that were taken back", () => {
    const own = { cells: ints(1, 1, 2, -1, -1), divisions: [] };
    expect([...aligned(3, own, { cells: ints(7, -1, 9, 5, 6), divisions: [division(1, [3, 4], [2, 1])] })]).toEqual([7, 5, 9, -1, -1]);
  });
});

describe("the hatch", () => {
  it("joins at the edges and covers a part of the ground", () => {
    const { width, height, data } = hatch();
    const alpha = (x: number, y: number): number => data[4 * ((y % height) * width + (x % width)) + 3] as number;
    for (let y = 0; y < height; y += 1) for (let x = 0; x < width; x += 1) expect(alpha(x + 1, y)).toBe(alpha(x, y + 1));
    const cover = Array.from({ length: width * height }, (_, k) => alpha(k % width, Math.floor(k / width))).filter((value) => value > 0).length;
    expect(cover / (width * height)).toBeGreaterThan(0.1);
    expect(cover / (width * height)).toBeLessThan(0.4);
  });
});

describe("the divider", () => {
  it("goes by arrows, leaps and ends, and stays on the map", () => {
    expect([stepped(50, "ArrowRight"), stepped(50, "ArrowLeft"), stepped(50, "PageUp"), stepped(1, "ArrowLeft"), stepped(50, "End"), stepped(50, "Home")]).toEqual([52, 48, 60, 0, 100, 0]);
    expect(stepped(50, "x")).toBeNull();
  });
});

describe("lists", () => {
  const line = (grid: number, name: string, kind: Line["kind"], moved: number): Line => ({ grid, name, title: name, relative: "", kind, households: 10 * grid, moved });
  const lines = [line(1, "East 10", "moved", 5), line(2, "East 2", "kept", 0), line(3, "East 1", "moved", 9)];

  it("sort numbers in names as numbers, and filter by kind", () => {
    expect(arranged(lines, new Set(), "name", false).map(({ grid }) => grid)).toEqual([3, 2, 1]);
    expect(arranged(lines, new Set(["moved"]), "moved", true).map(({ grid }) => grid)).toEqual([3, 1]);
  });

  it("name relatives by community and number", () => {
    const grid = (id: number, main: number | null): Descent => ({ id, code: `A00${id}`, name: `滨河社区第${id}网格`, main, households: 3, kind: main === null ? "new" : "kept" });
    const record = (id: number) => ({ id, community: 0, code: "", name: "", locked: false, staff: 0, kind: "", note: "" });
    const records = { side: new Map([1, 2].map((id) => [id, record(id)])), others: new Map([[7, record(7)]]) };
    const made = linesOf([grid(1, 7), grid(2, null)], [grid(7, 1)], [{ id: "a", name: "滨河社区" }], records);
    expect(made.map(({ name, relative }) => [name, relative])).toEqual([
      ["滨河 1", "滨河 7"],
      ["滨河 2", "none"],
    ]);
  });

  it("offer the old grids first, and only plans on the same data", () => {
    const plan = (id: string, dataset: string, source?: string, parent: { id: string } | null = null) =>
      ({ id, dataset, name: source === undefined ? id : "原有网格 Old grids", parameters: { source }, parent }) as unknown as PlanEntry;
    const all = [plan("mine", "d"), plan("new", "d"), plan("far", "e"), plan("old", "d", "old-grids"), plan("branch", "d", "old-grids", { id: "old" })];
    expect(choices(all, { id: "mine", dataset: "d" }).map(({ id }) => id)).toEqual(["old", "new", "branch"]);
    expect(all.map(planName)).toEqual(["mine", "new", "far", "Old grids", "原有网格 Old grids"]);
  });
});
