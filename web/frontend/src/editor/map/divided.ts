import type { DivisionInfo } from "../model/divided";
import type { EditorMap } from "./map";

/** Draw cells that were divided from what the service says: the tiles know nothing of them. */
export function drawDivided(map: EditorMap, divisions: readonly DivisionInfo[]): void {
  if (divisions.length === 0) return;
  const retired = divisions.map(({ parent }) => parent);
  const features = divisions
    .flatMap(({ outlines, children }) => outlines.filter(({ cell }) => children.some((child) => child.cell === cell)))
    .filter(({ cell }) => !retired.includes(cell))
    .map(({ cell, coordinates }) => ({
      type: "Feature" as const,
      id: cell,
      properties: { cell },
      geometry: { type: "Polygon" as const, coordinates: coordinates.map((ring) => ring.map((point) => [...point])) },
    }));
  map.hideCells(retired);
  map.put("divided", { type: "FeatureCollection", features });
}
