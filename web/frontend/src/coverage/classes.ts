import { type Buildings, ISLAND, NO_WAY, OFF_NETWORK } from "./decode";
import type { Method } from "./api";

/** Classes of a building on the map, and their place in the legend. */
export const NEAR = 0;
export const MIDDLE = 1;
export const WITHIN = 2;
export const BEYOND = 3;
export const UNREACHED = 4;
export const OFF = 5;
export const ON_ISLAND = 6;
export const CLASSES = 7;

/** Teal, darker is nearer, is in time; orange and rust are not. Apart in lightness and for every kind of sight. */
export const CLASS_FILLS = ["#0d5a60", "#4b9c93", "#aed8bd", "#e9a45c", "#96412f", "#b9bbb3", "#b7abcb"] as const;

/** Share covered, in steps of the same teal. */
export const SHARE_BREAKS = [0.5, 0.7, 0.85, 0.95] as const;
export const SHARE_FILLS = ["#e9a45c", "#f0dcae", "#aed8bd", "#4b9c93", "#0d5a60"] as const;
export const SHARE_OPACITY = 0.62;

/** Badges of stations, dark enough for white text; the same as on the printed map. */
export const STATION_COLOURS = [
  "#0b5fa5",
  "#a8480b",
  "#1f7a4d",
  "#8b2f6f",
  "#5a4fa0",
  "#7a5c12",
  "#0f7280",
  "#9c2b2b",
  "#3f6b1e",
  "#5b4636",
  "#4a5a70",
  "#b0307f",
] as const;

const BREAKS: Readonly<Record<number, readonly [number, number]>> = {
  5: [2, 3],
  8: [3, 5],
  10: [3, 6],
  15: [5, 10],
  20: [10, 15],
};

/** Return the limits of the three classes in time, minutes. */
export function breaks(minutes: number): readonly [number, number, number] {
  const [near, middle] = BREAKS[minutes] ?? [Math.round(minutes / 3), Math.round((2 * minutes) / 3)];
  return [near, middle, minutes];
}

/** Return the class of every building. */
export function classify(
  buildings: Buildings,
  hundredths: Uint16Array,
  minutes: number,
  method: Method,
): Uint8Array {
  const [near, middle, within] = breaks(minutes).map((limit) => Math.round(limit * 100)) as [
    number,
    number,
    number,
  ];
  const found = new Uint8Array(buildings.count);
  for (let row = 0; row < buildings.count; row += 1) {
    const walk = hundredths[row] ?? NO_WAY;
    const state = method === "network" ? buildings.state[row] : 0;
    if (state === OFF_NETWORK) found[row] = OFF;
    else if (state === ISLAND && walk === NO_WAY) found[row] = ON_ISLAND;
    else if (walk === NO_WAY) found[row] = UNREACHED;
    else found[row] = walk <= near ? NEAR : walk <= middle ? MIDDLE : walk <= within ? WITHIN : BEYOND;
  }
  return found;
}

/** Return households and buildings of every class. */
export function countClasses(classes: Uint8Array, buildings: Buildings): readonly number[] {
  const households = new Array<number>(CLASSES).fill(0);
  for (let row = 0; row < classes.length; row += 1) {
    const k = classes[row] ?? 0;
    households[k] = (households[k] ?? 0) + (buildings.households[row] ?? 0);
  }
  return households;
}

export function stationColour(category: number): string {
  return STATION_COLOURS[category % STATION_COLOURS.length] ?? STATION_COLOURS[0];
}
