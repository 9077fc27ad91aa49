import { type FilterSpecification, type GeoJSONSource, LngLatBounds, Map as GlMap, NavigationControl, ScaleControl, addProtocol, setWorkerUrl } from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?url";
import type { Feature, FeatureCollection } from "geojson";
import { Protocol } from "pmtiles";
import { t } from "../../shared/i18n";
import type { LonLat } from "../model/places";
import { GLYPHS, GLYPH_RATIO, glyph } from "./glyphs";
import { askAgain } from "./lost";
import { LATE, type Own, SWITCHES, USUAL_SHADE, cellShade, editorStyle } from "./style";

const FONTS = '"Source Han Sans SC", "Noto Sans CJK SC", "Noto Sans SC", "PingFang SC", "Microsoft YaHei", sans-serif';
const PADDING = 36;
const THIN_SHADE = 0.4;

// The worker is a file of its own; without its address the map would stay blank.
setWorkerUrl(workerUrl);
const ARCHIVES = new Protocol();
addProtocol("pmtiles", ARCHIVES.tile);

export interface TileSet {
  readonly bounds: readonly [number, number, number, number];
  readonly layers: Readonly<Record<string, { min_zoom: number; max_zoom: number; rows: number }>>;
}

/** Whether this browser can draw the map. */
export function canDraw(): boolean {
  return document.createElement("canvas").getContext("webgl2") !== null;
}

/** The map of the editor: tiles that never change, coloured by what the plan says. */
export class EditorMap {
  readonly gl: GlMap;
  readonly #tiles: TileSet;
  readonly #divided = new Set<number>();
  readonly #filled = new Map<Own, Set<number>>();

  constructor(container: HTMLElement, url: string, tiles: TileSet) {
    this.#tiles = tiles;
    const least = Math.min(...Object.values(tiles.layers).map((layer) => layer.min_zoom));
    const style = editorStyle(new URL(url, window.location.href).href, tiles.layers);
    this.gl = new GlMap({
      container,
      style,
      bounds: LngLatBounds.convert([...tiles.bounds]),
      fitBoundsOptions: { padding: PADDING },
      localIdeographFontFamily: FONTS,
      attributionControl: false,
      dragRotate: false,
      pitchWithRotate: false,
      touchPitch: false,
      boxZoom: false,
      doubleClickZoom: false,
      fadeDuration: 0,
      // Further out there are no tiles: the city is a few hundred pixels wide there.
      minZoom: least,
      maxZoom: 20,
      locale: {
        "Map.Title": t("map"),
        "NavigationControl.ZoomIn": t("zoom_in"),
        "NavigationControl.ZoomOut": t("zoom_out"),
      },
    });
    this.gl.touchZoomRotate.disableRotation();
    this.gl.keyboard.disableRotation();
    askAgain(this.gl, ARCHIVES, new Set(Object.keys(style.sources)));
    // Before anything is drawn: a label that asks for a sign which is not there yet stays without it.
    this.gl.once("style.load", () => {
      for (const name of GLYPHS) this.gl.addImage(name, glyph(name), { pixelRatio: GLYPH_RATIO });
    });
    this.gl.addControl(new NavigationControl({ showCompass: false }), "top-left");
    this.gl.addControl(new ScaleControl({ maxWidth: 120 }), "bottom-left");
  }

  /** What tiles the dataset has. */
  get tiles(): TileSet {
    return this.#tiles;
  }

  /** Resolve once the style stands. */
  async ready(): Promise<void> {
    if (this.gl.isStyleLoaded()) return;
    await new Promise<void>((resolve) => void this.gl.once("load", () => resolve()));
  }

  /** Fill one of the sources that the page owns. */
  put(name: Own, data: FeatureCollection): void {
    if (name === "divided") for (const { id } of data.features) this.#divided.add(Number(id));
    this.#filled.set(name, new Set(data.features.map(({ id }) => Number(id))));
    this.gl.getSource<GeoJSONSource>(name)?.setData(data);
  }

  /** Add, replace and (null) remove some features of a source, by their id. */
  patch(name: Own, features: ReadonlyMap<number, Feature | null>): void {
    if (features.size === 0) return;
    const add = [...features.values()].filter((feature) => feature !== null);
    const remove = [...features].filter(([id, feature]) => feature === null && this.#filled.get(name)?.has(id) === true).map(([id]) => id);
    for (const id of remove) this.#filled.get(name)?.delete(id);
    for (const { id } of add) this.#filled.get(name)?.add(Number(id));
    if (add.length + remove.length > 0) void this.gl.getSource<GeoJSONSource>(name)?.updateData({ add, remove });
  }

  colourCell(cell: number, colour: number): void {
    this.gl.setFeatureState({ source: "cells", sourceLayer: "cells", id: cell }, { c: colour });
    if (this.#divided.has(cell)) this.gl.setFeatureState({ source: "divided", id: cell }, { c: colour });
  }

  /** Mark a cell: 0 as it is, 1 chosen, 2 in the stroke on its way. */
  markCell(cell: number, mark: 0 | 1 | 2): void {
    this.gl.setFeatureState({ source: "cells", sourceLayer: "cells", id: cell }, { s: mark });
  }

  /** Draw an edge as a border: 0 none, 1 between grids, 2 around what is chosen. */
  markEdge(edge: number, mark: 0 | 1 | 2): void {
    this.gl.setFeatureState({ source: "edges", sourceLayer: "edges", id: edge }, { b: mark });
  }

  /** Return the cell under a point of the screen. */
  cellAt(point: { x: number; y: number }): number | null {
    const [found] = this.gl.queryRenderedFeatures([point.x, point.y], { layers: ["divided", "cells"] });
    const cell = found?.properties["cell"] as number | undefined;
    return cell ?? null;
  }

  /** Show what makes the map pleasant to read, once what is worked with is drawn: it would only come later with it. */
  decorate(isOn: (name: string) => boolean): void {
    for (const name of LATE) this.show(name, isOn(name));
  }

  show(name: string, on: boolean): void {
    for (const layer of SWITCHES[name] ?? []) {
      if (this.gl.getLayer(layer)) this.gl.setLayoutProperty(layer, "visibility", on ? "visible" : "none");
    }
  }

  /** Let a base map under the grids be seen. */
  seeThrough(on: boolean): void {
    for (const layer of ["cells", "divided"]) this.gl.setPaintProperty(layer, "fill-opacity", cellShade(on ? THIN_SHADE : USUAL_SHADE));
  }

  /** Leave divided cells out of the tiles: their parts are drawn from the plan. */
  hideCells(cells: readonly number[]): void {
    const filter = cells.length === 0 ? null : (["!", ["in", ["get", "cell"], ["literal", [...cells]]]] as FilterSpecification);
    this.gl.setFilter("cells", filter);
  }

  whole(): void {
    this.gl.fitBounds([...this.#tiles.bounds], { padding: PADDING, duration: pace() });
  }

  fly(to: LonLat, zoom = 15): void {
    this.gl.easeTo({ center: [to[0], to[1]], zoom: Math.max(this.gl.getZoom(), zoom), duration: pace() });
  }

  fit(box: readonly [number, number, number, number]): void {
    this.gl.fitBounds([...box], { padding: 80, maxZoom: 16.5, duration: pace() });
  }

  /** Return how many metres the map is wide along its middle. */
  metresAcross(): number {
    const { clientWidth, clientHeight } = this.gl.getCanvas();
    return this.gl.unproject([0, clientHeight / 2]).distanceTo(this.gl.unproject([clientWidth, clientHeight / 2]));
  }

  /** Return how many degrees of latitude some pixels are at the middle of the map. */
  degrees(pixels: number): number {
    const canvas = this.gl.getCanvas();
    const [x, y] = [canvas.clientWidth / 2, canvas.clientHeight / 2];
    return Math.abs(this.gl.unproject([x, y]).lat - this.gl.unproject([x, y + pixels]).lat);
  }
}

function pace(): number {
  return window.matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 450;
}
