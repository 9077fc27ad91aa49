// Where the number of a grid stands: inside the grid, away from its border, near its middle.
import { expect, it } from "vitest";
import { lattice } from "../model/lattice.fixture";
import { readGround } from "../model/ground";
import { Places } from "../model/places";
import { Spots } from "./spot";

const WIDE = 9;
const ground = readGround(lattice(WIDE, 9));
const spots = new Spots(ground, new Places(ground));
const block = (west: number, south: number, wide: number, high: number): number[] =>
  Array.from({ length: wide * high }, (_, k) => (south + Math.floor(k / wide)) * WIDE + west + (k % wide));

it("writes in the middle of a block", () => {
  expect(spots.of(block(2, 2, 5, 5))).toBe(4 * WIDE + 4);
  expect(spots.of(block(0, 0, 3, 3))).toBe(1 * WIDE + 1);
});

it("stays inside an area whose middle lies outside", () => {
  const horseshoe = [...block(1, 1, 2, 7), ...block(6, 1, 2, 7), ...block(3, 1, 3, 2)];
  expect(horseshoe).toContain(spots.of(horseshoe));
});

it("prefers room to nearness where an area is narrow", () => {
  // Two blocks with a corridor between them: the middle is in the corridor.
  const both = [...block(0, 0, 4, 5), ...block(4, 2, 1, 1), ...block(5, 0, 3, 5)];
  const found = spots.of(both);
  expect(found).not.toBe(2 * WIDE + 4);
  expect(block(1, 1, 2, 3)).toContain(found);
});

it("answers for single cells and none", () => {
  expect(spots.of([13])).toBe(13);
  expect(spots.of([])).toBe(-1);
  expect(spots.of(block(2, 2, 5, 5))).toBe(4 * WIDE + 4);
});
