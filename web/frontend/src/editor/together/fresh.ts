import type { EditorMap } from "../map/map";

const SHOWN_MS = 2600;

/** Colours for a moment the cells that somebody else changed. */
export class Fresh {
  readonly #map: EditorMap;
  readonly #until = new Map<number, number>();
  #clock = 0;

  constructor(map: EditorMap) {
    this.#map = map;
  }

  show(cells: Iterable<number>): void {
    const until = performance.now() + SHOWN_MS;
    for (const cell of cells) {
      this.#until.set(cell, until);
      this.#map.flash(cell, true);
    }
    this.#map.refresh();
    this.#clock ||= window.setInterval(() => this.#fade(), SHOWN_MS / 4);
  }

  #fade(): void {
    const now = performance.now();
    for (const [cell, until] of this.#until) {
      if (until > now) continue;
      this.#until.delete(cell);
      this.#map.flash(cell, false);
    }
    this.#map.refresh();
    if (this.#until.size > 0) return;
    window.clearInterval(this.#clock);
    this.#clock = 0;
  }
}
