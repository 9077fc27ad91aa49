import { type FilterSpecification, type GeoJSONSource, LngLatBounds, Map as GlMap, MercatorCoordinate, NavigationControl, ScaleControl, addProtocol, setWorkerUrl } from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?url";
import type { Feature, FeatureCollection } from "geojson";
import { Protocol } from "pmtiles";
import { flat } from "../../shared/flat";
import { t } from "../../shared/i18n";
import type { LonLat } from "../model/places";
import { GLYPHS, GLYPH_RATIO, glyph } from "./glyphs";
import { askAgain } from "./lost";
import { Overview, type View, overviewProgram } from "./overview";
import { type OverviewInfo, type Raster, loadRaster } from "./raster";
import { LATE, OWN, type Own, SWITCHES, USUAL_SHADE, cellShade, editorStyle, ownLayers } from "./style";

const FONTS = '"Source Han Sans SC", "Noto Sans CJK SC", "Noto Sans SC", "PingFang SC", "Microsoft YaHei", sans-serif';
const PADDING = 36;
const THIN_SHADE = 0.4;
const OVERVIEW = "overview.gz";
/** Parts of the picture of far views, and the layers that they lie below. */
const PARTS = [
  ["fills", "cells"],
  ["borders", "communities-line"],
] as const;
/** What of the view's size tiles are told around it, on every side. */
const AROUND = 0.4;

/** West, south, east, north. */
export type Box = readonly [number, number, number, number];

// The worker is a file of its own; without its address the map would stay blank.
setWorkerUrl(workerUrl);
const ARCHIVES = new Protocol();
addProtocol("pmtiles", ARCHIVES.tile);

export interface TileSet {
  readonly bounds: readonly [number, number, number, number];
  readonly layers: Readonly<Record<string, { min_zoom: number; max_zoom: number; rows: number }>>;
  /** The picture of all cells; tiles baked long ago have none. */
  readonly overview?: OverviewInfo | null;
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
  /** From this zoom on cells are drawn from tiles; further out from the picture. */
  readonly #near: number;
  readonly #asked: Promise<Raster> | null;
  readonly #overview: Overview | null;
  readonly #restored = new Set<() => void>();
  /** Between losing the graphics card's memory and standing again the map has no style: there is nothing to say anything to. */
  #isAway = false;
  #raster: Raster | null = null;

  constructor(container: HTMLElement, url: string, tiles: TileSet) {
    this.#tiles = tiles;
    const { overview } = tiles;
    this.#near = overview ? nearest(overview) : 0;
    this.#asked = overview ? loadRaster(`${url}/${OVERVIEW}`, overview) : null;
    const least = Math.min(...Object.values(tiles.layers).map((layer) => layer.min_zoom));
    const style = editorStyle(new URL(url, window.location.href).href, tiles, this.#near);
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
    flat(this.gl);
    const card = overview ? this.gl.getCanvas().getContext("webgl2") : null;
    this.#overview = overview ? new Overview(tiles.layers["cells"]?.rows ?? 0, card && overviewProgram(card), this.#viewOf(overview)) : null;
    this.gl.touchZoomRotate.disableRotation();
    this.gl.keyboard.disableRotation();
    askAgain(this.gl, ARCHIVES, new Set(Object.keys(style.sources)));
    this.gl.on("style.load", () => {
      this.#isAway = false;
      // Before anything is drawn: a label that asks for a sign which is not there yet stays without it.
      for (const name of GLYPHS) if (!this.gl.hasImage(name)) this.gl.addImage(name, glyph(name), { pixelRatio: GLYPH_RATIO });
      // Before there is a picture: with every change of the style the map is drawn twice.
      this.#addOverview();
      for (const restored of this.#restored) restored();
    });
    this.gl.on("webglcontextlost", () => {
      this.#isAway = true;
      this.#overview?.lose();
    });
    this.gl.addControl(new NavigationControl({ showCompass: false }), "top-left");
    this.gl.addControl(new ScaleControl({ maxWidth: 120 }), "bottom-left");
  }

  /** What tiles the dataset has. */
  get tiles(): TileSet {
    return this.#tiles;
  }

  /** Resolve once the style stands, and the picture of far views is there; nothing is seen of it yet. */
  async ready(): Promise<void> {
    const styled = this.gl.getLayer("cells") !== undefined ? null : new Promise<void>((resolve) => void this.gl.once("style.load", () => resolve()));
    const [raster] = await Promise.all([this.#asked, styled]);
    if (raster === null || this.#raster !== null) return;
    this.#raster = raster;
    this.#overview?.fill(raster);
  }

  #addOverview(): void {
    if (this.#overview === null) return;
    for (const [part, below] of PARTS) {
      const layer = this.#overview.layer(part);
      this.gl.addLayer(layer, this.gl.getLayer(below) ? below : undefined);
    }
  }

  /** Whether the view shows the cells from the picture. */
  get isFar(): boolean {
    return this.gl.getZoom() < this.#near;
  }

  /** The lowest layer of the plan: base maps go below it. */
  get lowest(): string {
    return this.#overview === null ? "cells" : `overview-${PARTS[0][0]}`;
  }

  /** Tell once cells, colours and borders are drawn: at once where there is no picture to wait for. */
  onDrawn(drawn: () => void): void {
    if (this.#overview !== null && this.isFar) this.#overview.onDrawn(drawn);
    else this.gl.once("idle", drawn);
  }

  /** Whether the tiles of a close view have come. */
  #isThere(): boolean {
    return ["cells", "edges"].every((source) => this.gl.isSourceLoaded(source));
  }

  #viewOf(overview: OverviewInfo): View {
    const fine = -Math.log2(512 * overview.pixel);
    return {
      isOn: () => this.isFar || !this.#isThere(),
      texels: () => 2 ** (fine - this.gl.getZoom()),
      again: () => this.gl.triggerRepaint(),
    };
  }

  /**
   * Call whenever the map has lost the graphics card's memory and stands again: sources and layers are back, what was said
   * of single features is not. Returns how to end that.
   */
  onRestored(restored: () => void): () => void {
    this.#restored.add(restored);
    return () => this.#restored.delete(restored);
  }

  /** Look around: `look` is called with a box of degrees around each close view that an earlier box does not hold. */
  onNear(look: (box: Box) => void): void {
    let last: Box | null = null;
    const moved = (): void => {
      // Tiles of the next whole zoom are fetched as soon as the one before it is reached.
      if (this.gl.getZoom() < Math.floor(this.#near)) return;
      const view = this.#box(0);
      if (last !== null && last[0] <= view[0] && last[1] <= view[1] && last[2] >= view[2] && last[3] >= view[3]) return;
      last = this.#box(AROUND);
      look(last);
    };
    this.gl.on("move", moved);
    this.gl.on("resize", moved);
    this.onRestored(() => {
      last = null;
      moved();
    });
    moved();
  }

  /** Call for the cells of a box as the picture has them, some more than once. */
  cellsIn([west, south, east, north]: Box, found: (cell: number) => void): void {
    this.#raster?.within(MercatorCoordinate.fromLngLat([west, north]), MercatorCoordinate.fromLngLat([east, south]), found);
  }

  /** The view, and some more of its size on every side. */
  #box(more: number): Box {
    const { clientWidth, clientHeight } = this.gl.getCanvas();
    const least = this.gl.unproject([-more * clientWidth, (1 + more) * clientHeight]);
    const most = this.gl.unproject([(1 + more) * clientWidth, -more * clientHeight]);
    return [least.lng, least.lat, most.lng, most.lat];
  }

  /** Fill one of the sources that the page owns. */
  put(name: Own, data: FeatureCollection): void {
    if (this.#isAway) return;
    this.#furnish();
    if (name === "divided") for (const { id } of data.features) this.#divided.add(Number(id));
    this.#filled.set(name, new Set(data.features.map(({ id }) => Number(id))));
    this.gl.getSource<GeoJSONSource>(name)?.setData(data);
  }

  /** Add the sources that the page fills, once there is something to fill them with: with each answer of theirs the map is drawn anew. */
  #furnish(): void {
    if (this.gl.getSource(OWN[0]) !== undefined) return;
    for (const name of OWN) this.gl.addSource(name, { type: "geojson", data: { type: "FeatureCollection", features: [] } });
    for (const [layer, above] of ownLayers()) this.gl.addLayer(layer, above.find((id) => this.gl.getLayer(id) !== undefined));
  }

  /** Add, replace and (null) remove some features of a source, by their id. */
  patch(name: Own, features: ReadonlyMap<number, Feature | null>): void {
    if (features.size === 0 || this.#isAway) return;
    this.#furnish();
    const add = [...features.values()].filter((feature) => feature !== null);
    const remove = [...features].filter(([id, feature]) => feature === null && this.#filled.get(name)?.has(id) === true).map(([id]) => id);
    for (const id of remove) this.#filled.get(name)?.delete(id);
    for (const { id } of add) this.#filled.get(name)?.add(Number(id));
    if (add.length + remove.length > 0) void this.gl.getSource<GeoJSONSource>(name)?.updateData({ add, remove });
  }

  /** Whether there is a picture for far views: tiles then need to be told of what is near only. */
  get hasPicture(): boolean {
    return this.#overview !== null;
  }

  /** Say what a cell looks like from afar. */
  look(cell: number, colour: number, grid: number): void {
    this.#overview?.look(cell, colour, grid);
  }

  /** Draw the borders of a cell's grid stronger from afar. */
  chooseCell(cell: number, on: boolean): void {
    this.#overview?.choose(cell, on);
  }

  /** Show what changed from afar: a view that is as it was is not drawn again. */
  refresh(): void {
    if (this.#overview?.isStale === true) this.gl.triggerRepaint();
  }

  /** Colour a cell as changed just now by somebody else, or as usual again. */
  flash(cell: number, on: boolean): void {
    this.#overview?.flash(cell, on);
    if (this.#isAway) return;
    const drawn = this.#divided.has(cell) ? { source: "divided" } : { source: "cells", sourceLayer: "cells" };
    this.gl.setFeatureState({ ...drawn, id: cell }, { fresh: on ? 1 : 0 });
  }

  /** Colour a cell of the tiles. */
  colourCell(cell: number, colour: number): void {
    if (this.#isAway) return;
    this.gl.setFeatureState({ source: "cells", sourceLayer: "cells", id: cell }, { c: colour });
  }

  /** Colour a part of a divided cell. */
  colourPart(cell: number, colour: number): void {
    if (!this.#isAway && this.#divided.has(cell)) this.gl.setFeatureState({ source: "divided", id: cell }, { c: colour });
  }

  /** Draw an edge of the tiles as a border: 0 none, 1 between grids, 2 around what is chosen. */
  markEdge(edge: number, mark: 0 | 1 | 2): void {
    if (this.#isAway) return;
    this.gl.setFeatureState({ source: "edges", sourceLayer: "edges", id: edge }, { b: mark });
  }

  /** Return the cell under a point of the screen. */
  cellAt(point: { x: number; y: number }): number | null {
    const near = !this.isFar && this.gl.getLayer("cells") !== undefined;
    const layers = this.#isAway ? [] : [...(this.#divided.size > 0 ? ["divided"] : []), ...(near ? ["cells"] : [])];
    const [found] = layers.length > 0 ? this.gl.queryRenderedFeatures([point.x, point.y], { layers }) : [];
    const cell = found?.properties["cell"] as number | undefined;
    // Where the tiles of a close view are still on their way, the picture knows well enough.
    return cell ?? this.#raster?.at(MercatorCoordinate.fromLngLat(this.gl.unproject([point.x, point.y]))) ?? null;
  }

  /** Show what makes the map pleasant to read, once what is worked with is drawn: it would only come later with it. */
  decorate(isOn: (name: string) => boolean): void {
    for (const name of LATE) this.show(name, isOn(name));
  }

  show(name: string, on: boolean): void {
    const part = name === "grids" ? "fills" : name;
    if (part === "fills" || part === "borders") this.#overview?.show(part, on);
    else if (on && (LATE as readonly string[]).includes(name)) this.#overview?.part();
    for (const layer of SWITCHES[name] ?? []) {
      if (this.gl.getLayer(layer)) this.gl.setLayoutProperty(layer, "visibility", on ? "visible" : "none");
    }
  }

  /** Leave a layer on the cells' tiles to close views: the picture shows what it does. */
  keepNear(layer: string): void {
    if (this.#overview !== null && this.gl.getLayer(layer)) this.gl.setLayerZoomRange(layer, this.#near, 24);
  }

  /** Let a base map under the grids be seen. */
  seeThrough(on: boolean): void {
    this.#overview?.shade(on ? THIN_SHADE : USUAL_SHADE);
    for (const layer of ["cells", "divided"].filter((id) => this.gl.getLayer(id) !== undefined)) this.gl.setPaintProperty(layer, "fill-opacity", cellShade(on ? THIN_SHADE : USUAL_SHADE));
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

/** The zoom at which a pixel of the picture is one of the screen, half of one on a fine screen. */
function nearest({ pixel }: OverviewInfo): number {
  return -Math.log2(512 * pixel) - (window.devicePixelRatio > 1.5 ? 0.5 : 0);
}

function pace(): number {
  return window.matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 450;
}
