/** Colour of all that belongs to the other plan. */
export const OTHER = "#7a2f6f";

const SIDE = 20;
const STROKE = 2;

/** An image as a map takes it: four bytes a pixel. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8ClampedArray;
}

/** Draw strokes from lower left to upper right on nothing; copies side by side join without a seam. */
export function hatch(side = SIDE, stroke = STROKE, colour = OTHER): Pixels {
  const data = new Uint8ClampedArray(4 * side * side);
  const [red, green, blue] = [1, 3, 5].map((k) => Number.parseInt(colour.slice(k, k + 2), 16)) as [number, number, number];
  for (let y = 0; y < side; y += 1) {
    for (let x = 0; x < side; x += 1) {
      // Distance to the nearest stroke along the axis, then across it.
      const along = (x + y + 1) % side;
      const across = Math.min(along, side - along) / Math.SQRT2;
      const cover = Math.min(1, Math.max(0, stroke / 2 + 0.5 - across));
      data.set([red, green, blue, Math.round(255 * cover)], 4 * (y * side + x));
    }
  }
  return { width: side, height: side, data };
}
