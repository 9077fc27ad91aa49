// The shift of GCJ-02 against published values, and what is left of it on shifted tiles: less than a pixel.
import { describe, expect, it } from "vitest";
import { offsetOf, tileAt, toGcj02 } from "./gcj";

const CENTIMETRE = 1.5e-7;
// WGS 84 and GCJ-02 of Shanghai, Beijing, Guangzhou, Chengdu, Urumqi, Harbin.
const PLACES = [
  [121.4737, 31.2304, 121.47822306, 31.22845774],
  [116.3913, 39.9075, 116.39754118, 39.90890128],
  [113.2644, 23.1291, 113.26972959, 23.12642334],
  [104.0657, 30.6594, 104.0682074, 30.6569791],
  [87.6168, 43.8256, 87.61964995, 43.82680539],
  [126.6425, 45.7569, 126.64847008, 45.75885121],
] as const;

describe("GCJ-02", () => {
  it.each(PLACES)("shifts %f, %f as published", (lon, lat, x, y) => {
    const [u, v] = toGcj02(lon, lat);
    expect(Math.abs(u - x)).toBeLessThan(CENTIMETRE);
    expect(Math.abs(v - y)).toBeLessThan(CENTIMETRE);
  });

  it("leaves other countries alone", () => {
    expect(toGcj02(2.35, 48.86)).toEqual([2.35, 48.86]);
  });

  it.each([12, 16, 18])("leaves less than a pixel at the corners of tiles of zoom %i", (zoom) => {
    for (const [lon, lat] of PLACES) {
      const [x, y] = tileAt(lon, lat, zoom).map(Math.floor) as [number, number];
      const [dx, dy] = offsetOf(zoom, x, y);
      for (const [u, v] of [[x, y], [x + 1, y], [x, y + 1], [x + 1, y + 1]] as const) {
        const all = 2 ** zoom;
        const place = [(u / all) * 360 - 180, (Math.atan(Math.sinh(Math.PI * (1 - (2 * v) / all))) * 180) / Math.PI] as const;
        const [gx, gy] = tileAt(...toGcj02(...place), zoom);
        expect(256 * Math.abs(gx - u - dx)).toBeLessThan(1);
        expect(256 * Math.abs(gy - v - dy)).toBeLessThan(1);
      }
    }
  });
});
