import { type Ground, at } from "./ground";

/** Longitude and latitude, degrees. */
export type LonLat = readonly [number, number];

const STEP = 1e-7;
const PER_BIN = 8;

/** Finds cells by where they are: their inner points, in bins of about eight. */
export class Places {
  readonly #ground: Ground;
  readonly #wide: number;
  readonly #high: number;
  readonly #west: number;
  readonly #south: number;
  readonly #size: number;
  readonly #first: Int32Array;
  readonly #cells: Int32Array;
  /** Length of a degree of longitude in degrees of latitude. */
  readonly squeeze: number;

  constructor(ground: Ground) {
    this.#ground = ground;
    const box = extent(ground);
    this.squeeze = Math.cos((((box.south + box.north) / 2) * STEP * Math.PI) / 180);
    const area = Math.max(1, box.east - box.west) * Math.max(1, box.north - box.south);
    this.#size = Math.max(1, Math.sqrt((area * PER_BIN) / Math.max(1, ground.cells)));
    this.#west = box.west;
    this.#south = box.south;
    this.#wide = Math.floor((box.east - box.west) / this.#size) + 1;
    this.#high = Math.floor((box.north - box.south) / this.#size) + 1;
    [this.#first, this.#cells] = this.#sorted();
  }

  of(cell: number): LonLat {
    return [at(this.#ground.lon, cell) * STEP, at(this.#ground.lat, cell) * STEP];
  }

  /** List cells with their inner point in a box of degrees. */
  inBox(west: number, south: number, east: number, north: number): number[] {
    const found: number[] = [];
    this.#each(west, south, east, north, (cell) => found.push(cell));
    return found;
  }

  /** List cells with their inner point within some degrees of latitude of a point. */
  around(centre: LonLat, radius: number): number[] {
    const found: number[] = [];
    const reach = radius / this.squeeze;
    this.#each(centre[0] - reach, centre[1] - radius, centre[0] + reach, centre[1] + radius, (cell) => {
      const [lon, lat] = this.of(cell);
      if (Math.hypot((lon - centre[0]) * this.squeeze, lat - centre[1]) <= radius) found.push(cell);
    });
    return found;
  }

  /** List cells with their inner point in a ring, by the rule of even and odd crossings. */
  inRing(ring: readonly LonLat[]): number[] {
    const lons = ring.map(([lon]) => lon);
    const lats = ring.map(([, lat]) => lat);
    const found: number[] = [];
    this.#each(Math.min(...lons), Math.min(...lats), Math.max(...lons), Math.max(...lats), (cell) => {
      if (isInside(this.of(cell), ring)) found.push(cell);
    });
    return found;
  }

  /** Return the cell whose inner point is nearest, searching ever wider. */
  nearest(point: LonLat): number {
    for (let radius = this.#size * STEP; ; radius *= 2) {
      const near = this.around(point, radius);
      if (near.length > 0 || radius > 1) return this.#closest(point, near);
    }
  }

  #closest(point: LonLat, cells: readonly number[]): number {
    let best = -1;
    let least = Infinity;
    for (const cell of cells) {
      const [lon, lat] = this.of(cell);
      const far = Math.hypot((lon - point[0]) * this.squeeze, lat - point[1]);
      if (far < least) [best, least] = [cell, far];
    }
    return best;
  }

  #sorted(): [Int32Array, Int32Array] {
    const { cells, lon, lat } = this.#ground;
    const bin = Int32Array.from({ length: cells }, (_, cell) => this.#row(at(lat, cell)) * this.#wide + this.#column(at(lon, cell)));
    const first = new Int32Array(this.#wide * this.#high + 1);
    for (const k of bin) first[k + 1] = at(first, k + 1) + 1;
    for (let k = 0; k + 1 < first.length; k += 1) first[k + 1] = at(first, k + 1) + at(first, k);
    const place = first.slice();
    const sorted = new Int32Array(cells);
    bin.forEach((k, cell) => {
      sorted[at(place, k)] = cell;
      place[k] = at(place, k) + 1;
    });
    return [first, sorted];
  }

  #column(lon: number): number {
    return Math.floor((lon - this.#west) / this.#size);
  }

  #row(lat: number): number {
    return Math.floor((lat - this.#south) / this.#size);
  }

  #each(west: number, south: number, east: number, north: number, found: (cell: number) => void): void {
    const within = (value: number, count: number): number => Math.min(count - 1, Math.max(0, value));
    const left = within(this.#column(west / STEP), this.#wide);
    const right = within(this.#column(east / STEP), this.#wide);
    const low = within(this.#row(south / STEP), this.#high);
    const high = within(this.#row(north / STEP), this.#high);
    for (let row = low; row <= high; row += 1) {
      const end = at(this.#first, row * this.#wide + right + 1);
      for (let k = at(this.#first, row * this.#wide + left); k < end; k += 1) {
        const cell = at(this.#cells, k);
        const [lon, lat] = this.of(cell);
        if (lon >= west && lon <= east && lat >= south && lat <= north) found(cell);
      }
    }
  }
}

/** Whether a point lies in a ring, which need not be closed. */
export function isInside([x, y]: LonLat, ring: readonly LonLat[]): boolean {
  let inside = false;
  let [px, py] = ring.at(-1) ?? [0, 0];
  for (const [qx, qy] of ring) {
    if (py > y !== qy > y && x < ((px - qx) * (y - qy)) / (py - qy) + qx) inside = !inside;
    [px, py] = [qx, qy];
  }
  return inside;
}

function extent({ cells, lon, lat }: Ground): { west: number; south: number; east: number; north: number } {
  const box = { west: Infinity, south: Infinity, east: -Infinity, north: -Infinity };
  for (let cell = 0; cell < cells; cell += 1) {
    box.west = Math.min(box.west, at(lon, cell));
    box.east = Math.max(box.east, at(lon, cell));
    box.south = Math.min(box.south, at(lat, cell));
    box.north = Math.max(box.north, at(lat, cell));
  }
  return cells > 0 ? box : { west: 0, south: 0, east: 0, north: 0 };
}
