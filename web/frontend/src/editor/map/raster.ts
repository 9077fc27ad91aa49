import { ApiError } from "../api";
import { at } from "../model/ground";
import { Offline } from "../model/sync";

/** What is to be known of a picture of cells beside its pixels: its place in Web Mercator from 0 to 1, north up. */
export interface OverviewInfo {
  readonly width: number;
  readonly height: number;
  readonly west: number;
  readonly north: number;
  /** Width and height of a pixel. */
  readonly pixel: number;
}

/** A point of Web Mercator from 0 to 1, y southwards. */
export interface Spot {
  readonly x: number;
  readonly y: number;
}

const NO_CELL = -1;

/** Which cell every pixel of a picture is of, as runs: a fraction of the memory that the pixels would take. */
export class Raster {
  readonly info: OverviewInfo;
  /** Runs of row y are `first[y]` up to `first[y + 1]`; each begins at `start` and ends where the next begins. */
  readonly #first: Int32Array;
  readonly #start: Uint16Array;
  readonly #cell: Int32Array;

  /** Read runs of a length and of a difference from the cell above, see the baking of tiles. */
  constructor(info: OverviewInfo, bytes: Uint8Array) {
    this.info = info;
    this.#first = new Int32Array(info.height + 1);
    const start = new Uint16Array(bytes.length >> 1);
    const cell = new Int32Array(bytes.length >> 1);
    let place = 0;
    const next = (): number => {
      let value = 0;
      for (let shift = 0; ; shift += 7) {
        const byte = bytes[place++];
        if (byte === undefined) throw new Error("the overview ends too early");
        value |= (byte & 127) << shift;
        if (byte < 128) return value;
      }
    };
    let [runs, above] = [0, 0];
    for (let y = 0; y < info.height; y += 1) {
      const end = runs;
      this.#first[y] = end;
      for (let x = 0; x < info.width; ) {
        while (above + 1 < end && at(start, above + 1) <= x) above += 1;
        const before = y === 0 ? NO_CELL : at(cell, above);
        start[runs] = x;
        x += next();
        const folded = next();
        cell[runs] = before + (folded & 1 ? -((folded + 1) >> 1) : folded >> 1);
        runs += 1;
      }
      above = end;
    }
    this.#first[info.height] = runs;
    this.#start = start.slice(0, runs);
    this.#cell = cell.slice(0, runs);
  }

  /** Return how large the picture is with every `step`-th pixel only. */
  shape(step: number): { readonly width: number; readonly height: number } {
    const middle = step >> 1;
    const count = (all: number): number => Math.max(1, Math.ceil((all - middle) / step));
    return { width: count(this.info.width), height: count(this.info.height) };
  }

  /** Fill in pixels row by row from a row on, of the picture with every `step`-th pixel; `none` stands where there is no cell. */
  pixels<A extends Uint16Array | Uint32Array>(into: A, none: number, step = 1, from = 0): A {
    const { width } = this.shape(step);
    const middle = Math.min(step >> 1, this.info.width - 1, this.info.height - 1);
    for (let row = 0; row * width < into.length; row += 1) {
      const y = (from + row) * step + middle;
      const [first, end] = [at(this.#first, y), at(this.#first, y + 1)];
      let place = row * width;
      for (let run = first; run < end; run += 1) {
        const cell = at(this.#cell, run);
        // Pixels whose middle one lies before the next run.
        const until = row * width + (run + 1 < end ? Math.ceil((at(this.#start, run + 1) - middle) / step) : width);
        for (; place < until; place += 1) into[place] = cell === NO_CELL ? none : cell;
      }
    }
    return into;
  }

  /** Return the cell at a point; null where there is none. */
  at({ x, y }: Spot): number | null {
    const { west, north, pixel, width, height } = this.info;
    const [column, row] = [Math.floor((x - west) / pixel), Math.floor((y - north) / pixel)];
    if (column < 0 || row < 0 || column >= width || row >= height) return null;
    const cell = at(this.#cell, this.#run(row, column));
    return cell === NO_CELL ? null : cell;
  }

  /** Call for the cells of a box; the same cell comes more than once. */
  within(from: Spot, to: Spot, found: (cell: number) => void): void {
    const { west, north, pixel, width, height } = this.info;
    const [left, right] = [Math.max(0, Math.floor((from.x - west) / pixel)), Math.min(width - 1, Math.floor((to.x - west) / pixel))];
    const [top, bottom] = [Math.max(0, Math.floor((from.y - north) / pixel)), Math.min(height - 1, Math.floor((to.y - north) / pixel))];
    for (let row = top; row <= bottom && left <= right; row += 1) {
      const last = this.#run(row, right);
      for (let run = this.#run(row, left); run <= last; run += 1) if (this.#cell[run] !== NO_CELL) found(at(this.#cell, run));
    }
  }

  /** The run of a pixel. */
  #run(row: number, column: number): number {
    let [low, high] = [at(this.#first, row), at(this.#first, row + 1) - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (at(this.#start, middle) <= column) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

const known = new Map<string, Promise<Raster>>();

/** Fetch a picture of cells; once for all maps of a page. */
export function loadRaster(url: string, info: OverviewInfo): Promise<Raster> {
  const there = known.get(url);
  if (there !== undefined) return there;
  const asked = fetched(url, info);
  known.set(url, asked);
  asked.catch(() => known.delete(url));
  return asked;
}

async function fetched(url: string, info: OverviewInfo): Promise<Raster> {
  let answer: Response;
  try {
    answer = await fetch(url);
  } catch (error) {
    throw new Offline(String(error));
  }
  if (!answer.ok || answer.body === null) throw new ApiError(answer.status, {});
  const unpacked = new Response(answer.body.pipeThrough(new DecompressionStream("gzip")));
  return new Raster(info, new Uint8Array(await unpacked.arrayBuffer()));
}
