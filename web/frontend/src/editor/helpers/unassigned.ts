import type { ExpressionSpecification, FilterSpecification, Map as GlMap } from "maplibre-gl";
import { hatch } from "../compare/hatch";

const IMAGE = "unassigned";
const INK = "#b4552d";
const SIDE = 20;
const STROKE = 2.2;
/** Colour number of a cell that is in no grid. */
const NO_GRID = 255;

/** Hatch every cell that is in no grid, so that nobody takes white ground for settled. */
export function hatchUnassigned(gl: GlMap): void {
  if (gl.hasImage(IMAGE)) return;
  gl.addImage(IMAGE, hatch(SIDE, STROKE, INK), { pixelRatio: 2 });
  const opacity: ExpressionSpecification = ["case", ["==", ["feature-state", "c"], NO_GRID], 0.85, 0];
  const paint = { "fill-pattern": IMAGE, "fill-opacity": opacity };
  const below = ["water", "buildings", "borders"].find((layer) => gl.getLayer(layer) !== undefined);
  // Divided cells are left out of the tiles; the filter says which.
  const filter = gl.getFilter("cells") as FilterSpecification | undefined;
  gl.addLayer({ id: "unassigned", type: "fill", source: "cells", "source-layer": "cells", ...(filter ? { filter } : {}), paint }, below);
  gl.addLayer({ id: "unassigned-divided", type: "fill", source: "divided", paint }, below);
}
