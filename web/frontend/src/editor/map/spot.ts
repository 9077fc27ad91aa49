import { type Ground, at } from "../model/ground";
import type { Places } from "../model/places";

const DEGREE_M = 111_320;

/** How much nearer to the middle is worth a metre less room around it. */
const PULL = 0.4;
/** Room on cells without a building counts less: a number belongs to homes, not to the river beside them. */
const EMPTY = 0.5;

/** Finds the cell of an area where a number has most room around it, and is not far from the middle. */
export class Spots {
  readonly #ground: Ground;
  readonly #places: Places;
  /** Room around a cell in metres; 0 for cells that are not of the area that is looked at. */
  readonly #room: Float64Array;

  constructor(ground: Ground, places: Places) {
    this.#ground = ground;
    this.#places = places;
    this.#room = new Float64Array(ground.cells);
  }

  /** Return the cell to write on; -1 for no cells. */
  of(cells: readonly number[]): number {
    this.#measure(cells);
    const [lon, lat] = this.#mean(cells);
    let best = -1;
    let most = -Infinity;
    for (const cell of cells) {
      const [x, y] = this.#places.of(cell);
      const far = Math.hypot((x - lon) * this.#places.squeeze, y - lat) * DEGREE_M;
      const worth = at(this.#room, cell) * (at(this.#ground.buildings, cell) > 0 ? 1 : EMPTY) - PULL * far;
      if (worth > most) [best, most] = [cell, worth];
    }
    for (const cell of cells) this.#room[cell] = 0;
    return best;
  }

  /** Estimate the room around every cell: from the rim inwards, a cell's width for every step. */
  #measure(cells: readonly number[]): void {
    const { indptr, neighbor, outerMm } = this.#ground;
    const room = this.#room;
    for (const cell of cells) room[cell] = -1;
    const reached = cells.filter((cell) => {
      if (at(outerMm, cell) > 0) return true;
      for (let k = at(indptr, cell); k < at(indptr, cell + 1); k += 1) if (room[at(neighbor, k)] === 0) return true;
      return false;
    });
    for (const cell of reached) room[cell] = this.#radius(cell);
    for (let head = 0; head < reached.length; head += 1) {
      const cell = reached[head] as number;
      for (let k = at(indptr, cell); k < at(indptr, cell + 1); k += 1) {
        const next = at(neighbor, k);
        if (room[next] !== -1) continue;
        room[next] = at(room, cell) + this.#radius(cell) + this.#radius(next);
        reached.push(next);
      }
    }
  }

  #radius(cell: number): number {
    return Math.sqrt(Math.max(1, at(this.#ground.areaDm2, cell)) / 100) / 2;
  }

  /** The middle of where people live. */
  #mean(cells: readonly number[]): readonly [number, number] {
    let [lon, lat, all] = [0, 0, 0];
    for (const cell of cells) {
      const [x, y] = this.#places.of(cell);
      const weight = 1 + at(this.#ground.households, cell);
      lon += x * weight;
      lat += y * weight;
      all += weight;
    }
    return [lon / all, lat / all];
  }
}
