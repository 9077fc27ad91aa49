import type { EditorMap } from "../map/map";

const SHOWN_MS = 2600;

/** Outlines for a moment the cells that somebody else changed. */
export class Fresh {
  readonly #map: EditorMap;
  readonly #until = new Map<number, number>();
  #clock = 0;

  constructor(map: EditorMap) {
    this.#map = map;
    map.gl.addLayer({
      id: "fresh",
      type: "line",
      source: "cells",
      "source-layer": "cells",
      paint: { "line-color": "#9a6b00", "line-width": 2.5, "line-opacity": ["coalesce", ["feature-state", "fresh"], 0] },
    });
  }

  show(cells: Iterable<number>): void {
    const until = performance.now() + SHOWN_MS;
    for (const cell of cells) {
      this.#until.set(cell, until);
      this.#mark(cell, 1);
    }
    this.#clock ||= window.setInterval(() => this.#fade(), SHOWN_MS / 4);
  }

  #fade(): void {
    const now = performance.now();
    for (const [cell, until] of this.#until) {
      if (until > now) continue;
      this.#until.delete(cell);
      this.#mark(cell, 0);
    }
    if (this.#until.size > 0) return;
    window.clearInterval(this.#clock);
    this.#clock = 0;
  }

  #mark(cell: number, fresh: 0 | 1): void {
    this.#map.gl.setFeatureState({ source: "cells", sourceLayer: "cells", id: cell }, { fresh });
  }
}
