// The picture of cells that far views are drawn from: its runs give back every pixel, and the cell at every point.
import { expect, it } from "vitest";
import { Raster } from "./raster";

const NONE = 999;
const WIDE = 40;
const HIGH = 30;
const INFO = { width: WIDE, height: HIGH, west: 0.8, north: 0.4, pixel: 1 / 1024 };

/** Write pixels as the baking of tiles does. */
function packed(pixels: readonly number[]): Uint8Array {
  const bytes: number[] = [];
  const put = (value: number): void => {
    for (let left = value; ; left >>>= 7) {
      bytes.push(left < 128 ? left : (left & 127) | 128);
      if (left < 128) return;
    }
  };
  for (let place = 0; place < pixels.length; ) {
    const row = Math.floor(place / WIDE);
    const cell = pixels[place] as number;
    let end = place + 1;
    while (end < (row + 1) * WIDE && pixels[end] === cell) end += 1;
    const step = cell - (row === 0 ? -1 : (pixels[place - WIDE] as number));
    put(end - place);
    put(step < 0 ? -2 * step - 1 : 2 * step);
    place = end;
  }
  return Uint8Array.from(bytes);
}

/** Blocks of cells with large numbers and holes between. */
const pixels = Array.from({ length: WIDE * HIGH }, (_, k) => {
  const [row, column] = [Math.floor(k / WIDE), k % WIDE];
  if (row < 2 || (column > 30 && row < 9)) return -1;
  return ((Math.floor(column / 5) * 37 + Math.floor(row / 4) * 91) % 7) * 30_000 + (column % 11 === 0 ? 1 : 0);
});
const raster = new Raster(INFO, packed(pixels));

it("gives back every pixel", () => {
  const found = raster.pixels(new Uint32Array(WIDE * HIGH), NONE);
  expect(Array.from(found)).toEqual(pixels.map((cell) => (cell === -1 ? NONE : cell)));
});

it.each([2, 3, 4, 8, 64])("gives every %ith pixel, from any row on", (step) => {
  const { width, height } = raster.shape(step);
  const middle = Math.min(step >> 1, WIDE - 1, HIGH - 1);
  const expected = Array.from({ length: width * height }, (_, k) => {
    const cell = pixels[(Math.floor(k / width) * step + middle) * WIDE + (k % width) * step + middle];
    return cell === -1 ? NONE : cell;
  });
  expect(expected).not.toContain(undefined);
  expect(Array.from(raster.pixels(new Uint32Array(width * height), NONE, step))).toEqual(expected);
  const from = height >> 1;
  expect(Array.from(raster.pixels(new Uint32Array(width * (height - from)), NONE, step, from))).toEqual(expected.slice(from * width));
});

it("knows the cell at every point, and none beside", () => {
  const middle = (k: number): { x: number; y: number } => ({ x: INFO.west + ((k % WIDE) + 0.5) * INFO.pixel, y: INFO.north + (Math.floor(k / WIDE) + 0.5) * INFO.pixel });
  for (const [k, cell] of pixels.entries()) expect(raster.at(middle(k))).toBe(cell === -1 ? null : cell);
  expect(raster.at({ x: INFO.west - INFO.pixel, y: INFO.north })).toBeNull();
  expect(raster.at({ x: INFO.west, y: INFO.north + HIGH * INFO.pixel })).toBeNull();
});

it("lists the cells of a box, cut off at the picture's edge", () => {
  const found = new Set<number>();
  const corner = (column: number, row: number): { x: number; y: number } => ({ x: INFO.west + column * INFO.pixel, y: INFO.north + row * INFO.pixel });
  raster.within(corner(-5, 9.5), corner(12.5, 14.5), (cell) => found.add(cell));
  const expected = new Set<number>();
  for (let row = 9; row <= 14; row += 1) for (let column = 0; column <= 12; column += 1) expected.add(pixels[row * WIDE + column] as number);
  expect([...found].sort((a, b) => a - b)).toEqual([...expected].sort((a, b) => a - b));
  raster.within(corner(50, 50), corner(60, 60), () => expect.unreachable());
});

it("refuses runs that end too early", () => {
  expect(() => new Raster(INFO, packed(pixels).slice(0, -3))).toThrow(/too early/);
});
