import type { ExpressionSpecification, LayerSpecification } from "maplibre-gl";
import { at } from "../model/ground";
import { type PlanModel, UNASSIGNED } from "../model/plan";
import type { EditorMap } from "../map/map";
import { changed } from "./align";
import { OTHER, hatch } from "./hatch";

const IMAGE = "compare-hatch";
const HATCHED = ["compare-cells", "compare-divided"] as const;
const BORDERS = "compare-borders";

const state = (name: string): ExpressionSpecification => ["coalesce", ["feature-state", name], 0];
const when = (name: string, shown: number): ExpressionSpecification => ["case", [">", state(name), 0], shown, 0] as unknown as ExpressionSpecification;
const width = (least: number, most: number): ExpressionSpecification =>
  ["interpolate", ["exponential", 1.5], ["zoom"], 11, ["*", state("o"), least], 17, ["*", state("o"), most]] as unknown as ExpressionSpecification;

// A pattern cannot follow the state of a feature; its opacity can.
const PAINT = { "fill-pattern": IMAGE, "fill-opacity": when("h", 0.7) } as const;
const LAYERS: readonly (readonly [LayerSpecification, string])[] = [
  [{ id: HATCHED[0], type: "fill", source: "cells", "source-layer": "cells", paint: PAINT }, "borders"],
  [{ id: HATCHED[1], type: "fill", source: "divided", paint: PAINT }, "borders"],
  [
    {
      id: BORDERS,
      type: "line",
      source: "edges",
      "source-layer": "edges",
      layout: { "line-join": "round" },
      paint: { "line-color": OTHER, "line-dasharray": [2.4, 1.3], "line-width": width(0.7, 2.4), "line-opacity": when("o", 0.95) },
    },
    "communities-line",
  ],
];

/** Shows on the map what changed against another plan, and the borders of that plan. */
export class Overlay {
  readonly #map: EditorMap;
  readonly #plan: PlanModel;
  readonly #theirs: Int32Array;
  #hatched: Uint8Array;
  #marked: Uint8Array;
  #picked = UNASSIGNED;
  readonly #leave: () => void;

  constructor(map: EditorMap, plan: PlanModel, theirs: Int32Array) {
    this.#map = map;
    this.#plan = plan;
    this.#theirs = theirs;
    this.#hatched = new Uint8Array(theirs.length);
    this.#marked = new Uint8Array(plan.ground.edges);
    const { gl } = map;
    if (!gl.hasImage(IMAGE)) gl.addImage(IMAGE, hatch(), { pixelRatio: 2 });
    for (const [layer, above] of LAYERS) {
      if (gl.getLayer(layer.id)) gl.setLayoutProperty(layer.id, "visibility", "visible");
      else gl.addLayer(layer, gl.getLayer(above) ? above : undefined);
    }
    this.update();
    this.pick(null);
    this.#leave = map.onRestored(() => {
      this.#hatched.fill(0);
      this.#marked.fill(0);
      this.update();
      this.pick(this.#picked === UNASSIGNED ? null : this.#picked);
    });
  }

  /** Look again at what differs, after the plan changed; return how many cells do. */
  update(): number {
    const now = changed(this.#plan.ground, this.#plan.assignment, this.#theirs);
    this.#hatch(now);
    return now.reduce((sum, one) => sum + one, 0);
  }

  /** Draw the borders of one grid of the other plan stronger; of none with null. */
  pick(grid: number | null): void {
    this.#picked = grid ?? UNASSIGNED;
    const now = new Uint8Array(this.#marked.length);
    for (let edge = 0; edge < now.length; edge += 1) now[edge] = this.#mark(edge);
    this.#markEdges(now);
  }

  show(what: "hatch" | "borders", on: boolean): void {
    for (const layer of what === "hatch" ? HATCHED : [BORDERS]) this.#map.gl.setLayoutProperty(layer, "visibility", on ? "visible" : "none");
  }

  /** Take everything off the map. */
  remove(): void {
    this.#leave();
    const { gl } = this.#map;
    // Layers and image stay: tiles on their way still ask for them, and a layer of the same name made anew in between
    // would not know yet what its paint is.
    for (const [layer] of LAYERS) gl.setLayoutProperty(layer.id, "visibility", "none");
    this.#hatch(new Uint8Array(this.#hatched.length));
    this.#markEdges(new Uint8Array(this.#marked.length));
  }

  #hatch(now: Uint8Array): void {
    const { gl } = this.#map;
    for (let cell = 0; cell < now.length; cell += 1) {
      if (now[cell] === this.#hatched[cell]) continue;
      gl.setFeatureState({ source: "cells", sourceLayer: "cells", id: cell }, { h: at(now, cell) });
      gl.setFeatureState({ source: "divided", id: cell }, { h: at(now, cell) });
    }
    this.#hatched = now;
  }

  #markEdges(now: Uint8Array): void {
    const { gl } = this.#map;
    for (let edge = 0; edge < now.length; edge += 1) {
      if (now[edge] !== this.#marked[edge]) gl.setFeatureState({ source: "edges", sourceLayer: "edges", id: edge }, { o: at(now, edge) });
    }
    this.#marked = now;
  }

  #mark(edge: number): 0 | 1 | 2 {
    const [a, b] = [0, 1].map((side) => at(this.#theirs, at(this.#plan.ground.ends, 2 * edge + side))) as [number, number];
    if (a === b) return 0;
    return this.#picked !== UNASSIGNED && (a === this.#picked || b === this.#picked) ? 2 : 1;
  }
}
