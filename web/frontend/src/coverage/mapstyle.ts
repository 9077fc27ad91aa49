import type { ExpressionSpecification, LayerSpecification, StyleSpecification } from "maplibre-gl";
import type { FeatureCollection } from "geojson";
import { CLASS_FILLS, SHARE_BREAKS, SHARE_FILLS, SHARE_OPACITY } from "./classes";

export const PAPER = "#f3f2ec";
const HALO = "#fbfaf6";

/** GeoJSON layers of the service, drawn in this order. */
export const BASE_LAYERS = ["compounds", "water", "roads", "railways", "communities", "grids"] as const;

const EMPTY: FeatureCollection = { type: "FeatureCollection", features: [] };

/** Sources that the page fills itself. */
export const OWN_SOURCES = ["buildings", "gaps", "reach", "trails", "scenario", "candidates", "names"] as const;

/** Which layers of the map a switch of the page turns. */
export const SWITCHES: Readonly<Record<string, readonly string[]>> = {
  communities: ["communities-line", "communities-name"],
  grids: ["grids-line"],
  roads: ["roads-case", "roads"],
  water: ["water", "water-line"],
  railways: ["railways", "railways-ties"],
  compounds: ["compounds"],
  gaps: ["gaps", "gaps-rank"],
  isochrones: ["reach", "reach-line"],
  wrong: ["wrong"],
  candidates: ["candidates"],
};

const state = (name: string, fallback: number): ExpressionSpecification => [
  "coalesce",
  ["feature-state", name],
  fallback,
];

const buildingFill = [
  "match",
  state("k", -1),
  ...CLASS_FILLS.flatMap((fill, k) => [k, fill]),
  "#d8d7cf",
] as unknown as ExpressionSpecification;

const shareFill = [
  "step",
  state("share", -1),
  "rgba(0,0,0,0)",
  0,
  SHARE_FILLS[0],
  ...SHARE_BREAKS.flatMap((at, k) => [at, SHARE_FILLS[k + 1] ?? SHARE_FILLS[0]]),
] as unknown as ExpressionSpecification;

/** Radius by households, growing with the zoom: small enough to stay apart in the whole view. */
const buildingRadius = [
  "interpolate",
  ["exponential", 1.6],
  ["zoom"],
  11,
  ["interpolate", ["linear"], ["sqrt", ["get", "n"]], 0, 0.7, 15, 1.7],
  14,
  ["interpolate", ["linear"], ["sqrt", ["get", "n"]], 0, 1.8, 15, 4.6],
  18,
  ["interpolate", ["linear"], ["sqrt", ["get", "n"]], 0, 7, 15, 22],
] as unknown as ExpressionSpecification;

const roadWidth = [
  "interpolate",
  ["exponential", 1.5],
  ["zoom"],
  12,
  ["match", ["get", "border_class"], [3, 4], 1.1, 0.5],
  17,
  ["match", ["get", "border_class"], [3, 4], 9, 5],
] as unknown as ExpressionSpecification;

const LAYERS: LayerSpecification[] = [
  { id: "paper", type: "background", paint: { "background-color": PAPER } },
  { id: "compounds", type: "fill", source: "compounds", paint: { "fill-color": "#e9e7dc", "fill-outline-color": "#d9d6c8" } },
  {
    id: "communities-share",
    type: "fill",
    source: "communities",
    layout: { visibility: "none" },
    paint: { "fill-color": shareFill, "fill-opacity": SHARE_OPACITY },
  },
  {
    id: "grids-share",
    type: "fill",
    source: "grids",
    layout: { visibility: "none" },
    paint: { "fill-color": shareFill, "fill-opacity": SHARE_OPACITY },
  },
  {
    id: "water",
    type: "fill",
    source: "water",
    filter: ["==", ["geometry-type"], "Polygon"],
    paint: { "fill-color": "#cfe0e8" },
  },
  {
    id: "water-line",
    type: "line",
    source: "water",
    layout: { "line-cap": "round", "line-join": "round" },
    paint: { "line-color": "#c3d8e3", "line-width": ["interpolate", ["exponential", 1.5], ["zoom"], 12, 2, 17, 14] },
  },
  {
    id: "roads-case",
    type: "line",
    source: "roads",
    minzoom: 13,
    layout: { "line-cap": "round", "line-join": "round" },
    paint: { "line-color": "#dcd9cc", "line-width": roadWidth, "line-gap-width": 0.4 },
  },
  {
    id: "roads",
    type: "line",
    source: "roads",
    layout: { "line-cap": "round", "line-join": "round" },
    paint: { "line-color": "#ffffff", "line-width": roadWidth },
  },
  { id: "railways", type: "line", source: "railways", paint: { "line-color": "#8d8f8b", "line-width": 1.6 } },
  {
    id: "railways-ties",
    type: "line",
    source: "railways",
    paint: { "line-color": "#8d8f8b", "line-width": 5, "line-dasharray": [0.25, 1.6] },
  },
  {
    id: "reach",
    type: "fill",
    source: "reach",
    layout: { visibility: "none" },
    paint: { "fill-color": "#1d5fa8", "fill-opacity": 0.13 },
  },
  {
    id: "reach-line",
    type: "line",
    source: "reach",
    layout: { visibility: "none", "line-join": "round" },
    paint: { "line-color": "#1d5fa8", "line-width": 1.6, "line-dasharray": [3, 1.6] },
  },
  {
    id: "grids-line",
    type: "line",
    source: "grids",
    layout: { visibility: "none" },
    paint: { "line-color": "#77818a", "line-width": 0.9, "line-opacity": 0.8 },
  },
  {
    id: "communities-line",
    type: "line",
    source: "communities",
    layout: { "line-join": "round" },
    paint: { "line-color": "#5a6870", "line-width": 1.5, "line-dasharray": [5, 2] },
  },
  {
    id: "buildings",
    type: "circle",
    source: "buildings",
    paint: {
      "circle-radius": buildingRadius,
      "circle-color": buildingFill,
      "circle-stroke-color": "#fbfaf6",
      "circle-stroke-width": ["interpolate", ["linear"], ["zoom"], 13, 0, 16, 0.8],
    },
  },
  {
    id: "wrong",
    type: "circle",
    source: "buildings",
    layout: { visibility: "none" },
    paint: {
      "circle-radius": buildingRadius,
      "circle-color": "rgba(0,0,0,0)",
      "circle-stroke-color": "#a3124b",
      "circle-stroke-width": ["case", ["==", state("wrong", 0), 1], 1.8, 0],
    },
  },
  {
    id: "communities-name",
    type: "symbol",
    source: "names",
    layout: { "text-field": ["get", "name"], "text-size": 14, "text-padding": 4 },
    paint: { "text-color": "#33413f", "text-halo-color": HALO, "text-halo-width": 2 },
  },
  {
    id: "candidates",
    type: "circle",
    source: "candidates",
    layout: { visibility: "none" },
    paint: { "circle-radius": 5, "circle-color": "#fffefb", "circle-stroke-color": "#5a4fa0", "circle-stroke-width": 1.8 },
  },
  {
    id: "gaps",
    type: "circle",
    source: "gaps",
    paint: {
      "circle-radius": ["interpolate", ["linear"], ["sqrt", ["get", "n"]], 0, 7, 40, 24],
      "circle-color": "#7a1f3d",
      "circle-opacity": ["case", ["==", state("on", 0), 1], 0.3, 0.07],
      "circle-stroke-color": "#7a1f3d",
      "circle-stroke-width": ["case", ["==", state("on", 0), 1], 2.6, 1.3],
    },
  },
  {
    id: "gaps-rank",
    type: "symbol",
    source: "gaps",
    layout: { "text-field": ["get", "rank"], "text-size": 12, "text-allow-overlap": true },
    paint: { "text-color": "#6d1836", "text-halo-color": HALO, "text-halo-width": 1.8 },
  },
  {
    id: "trails",
    type: "line",
    source: "trails",
    paint: { "line-color": "#3b4b4a", "line-width": 1.6, "line-dasharray": [1.5, 1.8], "line-opacity": 0.75 },
  },
  {
    id: "scenario-line",
    type: "line",
    source: "scenario",
    filter: ["==", ["geometry-type"], "LineString"],
    layout: { "line-cap": "round" },
    paint: { "line-color": "#5a4fa0", "line-width": ["match", ["get", "kind"], "bridge", 5, 3] },
  },
  {
    id: "scenario-point",
    type: "circle",
    source: "scenario",
    filter: ["==", ["geometry-type"], "Point"],
    paint: { "circle-radius": 6, "circle-color": "#5a4fa0", "circle-stroke-color": "#ffffff", "circle-stroke-width": 2 },
  },
];

/** The style of the page: nothing in it is asked of another host, and no font files are. */
export function planningStyle(): StyleSpecification {
  const sources = Object.fromEntries(
    [...BASE_LAYERS, ...OWN_SOURCES].map((name) => [name, { type: "geojson" as const, data: EMPTY }]),
  );
  return { version: 8, sources, layers: LAYERS };
}
