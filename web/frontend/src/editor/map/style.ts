import type { ExpressionSpecification, FilterSpecification, LayerSpecification, StyleSpecification } from "maplibre-gl";
import { FILLS } from "../model/colours";
import type { TileSet } from "./map";

const HALO = "#fbfaf6";
export const BORDER = "#3f4d5c";
export const CHOSEN = "#006f63";

/** Layers of tiles with the field that names a feature; the page colours cells and edges by these numbers. */
export const TILED = { cells: "cell", edges: "edge", buildings: null, compounds: "row", communities: "row", roads: null, water: null, railways: null, stations: null } as const;
export type Tiled = keyof typeof TILED;

/** What the page fills itself. */
export const OWN = ["labels", "marks", "draft", "divided", "presence", "names"] as const;
export type Own = (typeof OWN)[number];

/** Which layers of the map a switch of the page turns. */
export const SWITCHES: Readonly<Record<string, readonly string[]>> = {
  grids: ["cells", "divided"],
  borders: ["borders"],
  labels: ["labels", "marks"],
  cells: ["cell-lines"],
  buildings: ["buildings", "buildings-line"],
  compounds: ["compounds-line"],
  communities: ["communities-line", "communities-name"],
  roads: ["roads-case", "roads"],
  water: ["water", "water-line"],
  railways: ["railways"],
  stations: ["stations"],
};

/** Switches whose layers wait until the plan itself is drawn. */
export const LATE = ["communities", "buildings", "compounds", "roads", "water", "railways", "stations"] as const;

/** Layers of tiles that far views do without: a picture of the cells is drawn instead. */
export const NEAR = ["cells", "cell-lines", "borders", "unassigned"] as const;
const WAITING = new Set(LATE.flatMap((name) => SWITCHES[name] ?? []));

const state = (name: string, fallback: number): ExpressionSpecification => ["coalesce", ["feature-state", name], fallback];

/** Cells that somebody else changed just now. */
export const FRESH = "#e3b341";
const cellFill = ["case", ["==", state("fresh", 0), 1], FRESH, ["match", state("c", 255), ...FILLS.flatMap((fill, k) => [k, fill]), "#ffffff"]] as unknown as ExpressionSpecification;

/** Cells in no grid stand out of the plan. */
export const cellShade = (usual: number): ExpressionSpecification =>
  ["case", ["==", state("c", 255), 255], Math.min(0.9, usual + 0.2), usual] as unknown as ExpressionSpecification;
export const USUAL_SHADE = 0.72;

const byZoom = (...stops: readonly (number | ExpressionSpecification)[]): ExpressionSpecification =>
  ["interpolate", ["exponential", 1.5], ["zoom"], ...stops] as unknown as ExpressionSpecification;

const roadWidth = byZoom(12, ["match", ["get", "k"], [3, 4], 1.2, 0.5] as unknown as ExpressionSpecification, 17, ["match", ["get", "k"], [3, 4], 9, 5] as unknown as ExpressionSpecification);

/** Width of a border, and of one of a chosen grid. */
const borderWidth = (usual: number, chosen: number): ExpressionSpecification => ["match", state("b", 0), 1, usual, 2, chosen, 0] as unknown as ExpressionSpecification;

const isPolygon: FilterSpecification = ["==", ["geometry-type"], "Polygon"];

/** Where a line of their own runs around buildings, a smooth rim below it costs time and is not seen. */
const OUTLINED = 15;
const notOutlined = ["step", ["zoom"], true, OUTLINED, false] as unknown as ExpressionSpecification;

const LAYERS: LayerSpecification[] = [
  { id: "cells", type: "fill", source: "cells", "source-layer": "cells", paint: { "fill-color": cellFill, "fill-opacity": cellShade(USUAL_SHADE), "fill-antialias": false } },
  { id: "divided", type: "fill", source: "divided", paint: { "fill-color": cellFill, "fill-opacity": cellShade(USUAL_SHADE) } },
  { id: "water", type: "fill", source: "water", "source-layer": "water", filter: isPolygon, paint: { "fill-color": "#cbdfe9", "fill-opacity": 0.88 } },
  { id: "water-line", type: "line", source: "water", "source-layer": "water", layout: { "line-cap": "round", "line-join": "round" }, paint: { "line-color": "#bcd3df", "line-width": byZoom(12, 2, 17, 14) } },
  { id: "roads-case", type: "line", source: "roads", "source-layer": "roads", minzoom: 12.5, layout: { "line-cap": "round", "line-join": "round" }, paint: { "line-color": "#d5d2c5", "line-width": byZoom(13, 0.5, 17, 1.2), "line-gap-width": roadWidth } },
  { id: "roads", type: "line", source: "roads", "source-layer": "roads", layout: { "line-cap": "round", "line-join": "round" }, paint: { "line-color": "#ffffff", "line-width": roadWidth, "line-opacity": 0.9 } },
  { id: "railways", type: "line", source: "railways", "source-layer": "railways", paint: { "line-color": "#7d7f7b", "line-width": 2.2, "line-dasharray": [3, 1.2] } },
  { id: "buildings", type: "fill", source: "buildings", "source-layer": "buildings", minzoom: 13.5, filter: isPolygon, paint: { "fill-color": "#fffefb", "fill-opacity": byZoom(13.5, 0.35, 16, 0.75), "fill-antialias": notOutlined } },
  { id: "buildings-line", type: "line", source: "buildings", "source-layer": "buildings", minzoom: OUTLINED, filter: isPolygon, paint: { "line-color": "#9aa09a", "line-width": 0.5 } },
  { id: "cell-lines", type: "line", source: "edges", "source-layer": "edges", minzoom: 15.5, paint: { "line-color": "#6f7b80", "line-opacity": byZoom(15.5, 0, 16.5, 0.32), "line-width": 0.6 } },
  { id: "compounds-line", type: "line", source: "compounds", "source-layer": "compounds", paint: { "line-color": "#8a7a52", "line-width": 1, "line-dasharray": [3, 2], "line-opacity": 0.7 } },
  {
    id: "borders",
    type: "line",
    source: "edges",
    "source-layer": "edges",
    // Square ends close the corners as round ones do, with a third of the vertices.
    layout: { "line-cap": "square", "line-join": "miter" },
    paint: {
      "line-color": ["case", ["==", state("b", 0), 2], CHOSEN, BORDER] as unknown as ExpressionSpecification,
      "line-width": byZoom(11, borderWidth(0.7, 1.8), 17, borderWidth(2.2, 5.6)),
      "line-opacity": ["case", [">", state("b", 0), 0], 0.92, 0] as unknown as ExpressionSpecification,
    },
  },
  { id: "communities-line", type: "line", source: "communities", "source-layer": "communities", layout: { "line-join": "round" }, paint: { "line-color": "#22303f", "line-width": byZoom(11, 1.2, 17, 4), "line-opacity": 0.9 } },
  { id: "draft-fill", type: "fill", source: "draft", filter: isPolygon, paint: { "fill-color": "#14645c", "fill-opacity": 0.1 } },
  { id: "draft-line", type: "line", source: "draft", layout: { "line-cap": "round", "line-join": "round" }, paint: { "line-color": "#14645c", "line-width": 2.2, "line-dasharray": [2, 1.4] } },
  { id: "stations", type: "circle", source: "stations", "source-layer": "stations", layout: { visibility: "none" }, paint: { "circle-radius": byZoom(12, 2.5, 16, 6), "circle-color": "#0b5fa5", "circle-stroke-color": "#ffffff", "circle-stroke-width": byZoom(12, 0.8, 16, 1.6) } },
  {
    id: "marks",
    type: "symbol",
    source: "marks",
    minzoom: 14,
    layout: { "icon-image": ["get", "kind"], "icon-allow-overlap": true, "icon-ignore-placement": true, "icon-size": byZoom(14, 0.6, 17, 1) },
  },
  {
    id: "labels",
    type: "symbol",
    source: "labels",
    minzoom: 12.5,
    layout: {
      "text-field": ["get", "text"],
      "text-size": byZoom(12.5, 10.5, 17, 16),
      "text-padding": 2,
      "symbol-sort-key": ["get", "order"],
      "icon-image": ["case", ["get", "locked"], "lock", ""] as unknown as ExpressionSpecification,
      "icon-anchor": "right",
      "icon-offset": [-9, 0],
      "icon-optional": true,
    },
    paint: { "text-color": ["case", ["get", "problem"], "#8f2a12", "#20302f"], "text-halo-color": HALO, "text-halo-width": 1.6 } },
  { id: "communities-name", type: "symbol", source: "names", maxzoom: 15, layout: { "text-field": ["get", "name"], "text-size": 14, "text-padding": 6 }, paint: { "text-color": "#22303f", "text-halo-color": HALO, "text-halo-width": 2 } },
  { id: "presence", type: "circle", source: "presence", paint: { "circle-radius": 6, "circle-color": ["get", "colour"], "circle-stroke-color": "#ffffff", "circle-stroke-width": 2 } },
  { id: "presence-name", type: "symbol", source: "presence", layout: { "text-field": ["get", "name"], "text-size": 12, "text-offset": [0.9, 0], "text-anchor": "left", "text-allow-overlap": true }, paint: { "text-color": ["get", "colour"], "text-halo-color": "#ffffff", "text-halo-width": 2 } },
];

/** The style of the editor for the tiles that a dataset has, cells from a zoom on; what the page fills itself comes later. Nothing is asked of another host. */
export function editorStyle(tiles: string, { layers: there, bounds }: TileSet, near: number): StyleSpecification {
  const tiled = Object.entries(TILED).flatMap(([name, id]) => {
    const known = there[name];
    if (known === undefined) return [];
    const source = {
      type: "vector" as const,
      // With the zooms and bounds that are known here, an archive is opened only when one of its tiles is looked at.
      tiles: [`pmtiles://${tiles}/${name}.pmtiles/{z}/{x}/{y}`],
      bounds: [...bounds] as [number, number, number, number],
      minzoom: known.min_zoom,
      maxzoom: known.max_zoom,
      ...(id === null ? {} : { promoteId: { [name]: id } }),
    };
    return [[name, source] as const];
  });
  const sources = Object.fromEntries(tiled);
  const drawn = LAYERS.filter((layer) => !("source" in layer) || layer.source in sources);
  const layers = drawn.map((layer) => {
    const waits = WAITING.has(layer.id) ? { layout: { ...layer.layout, visibility: "none" } } : {};
    const minzoom = isNear(layer.id) ? { minzoom: Math.max(near, layer.minzoom ?? 0) } : {};
    return { ...layer, ...waits, ...minzoom } as LayerSpecification;
  });
  return { version: 8, sources, layers };
}

/** Return the layers of what the page fills itself, the uppermost first, each with the layer that it lies below. */
export function ownLayers(): (readonly [layer: LayerSpecification, above: readonly string[]])[] {
  return LAYERS.flatMap((layer, k) => {
    const isOwn = "source" in layer && (OWN as readonly string[]).includes(layer.source);
    return isOwn ? [[layer, LAYERS.slice(k + 1).map(({ id }) => id)] as const] : [];
  }).reverse();
}

function isNear(id: string): boolean {
  return (NEAR as readonly string[]).includes(id);
}
