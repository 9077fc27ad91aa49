import {
  type GeoJSONSource,
  LngLatBounds,
  Map as GlMap,
  NavigationControl,
  ScaleControl,
  setWorkerUrl,
} from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?url";
import type { Feature, FeatureCollection, Geometry } from "geojson";
import { flat } from "../shared/flat";
import type { Api, LonLat, Overview } from "./api";
import type { Buildings } from "./decode";
import { t } from "./i18n";
import { BASE_LAYERS, SWITCHES, planningStyle } from "./mapstyle";

const FONTS = '"Source Han Sans SC", "Noto Sans CJK SC", "Noto Sans SC", "PingFang SC", "Microsoft YaHei", sans-serif';
const PADDING = 44;

// The worker is a file of its own; without its address the map would stay blank.
setWorkerUrl(workerUrl);

/** Whether this browser can draw the map. */
export function canDraw(): boolean {
  return document.createElement("canvas").getContext("webgl2") !== null;
}

/** The map: base layers, buildings, and what panels put on it. */
export class CityMap {
  readonly gl: GlMap;
  /** Layers of the service as they came. */
  readonly layers = new Map<string, FeatureCollection>();
  readonly #overview: Overview;
  #classes: Uint8Array | null = null;
  #wrong: Uint8Array | null = null;
  #rows = 0;
  #looked = false;

  constructor(container: HTMLElement, overview: Overview) {
    this.#overview = overview;
    this.gl = new GlMap({
      container,
      style: planningStyle(),
      bounds: LngLatBounds.convert(overview.bounds as unknown as [number, number, number, number]),
      fitBoundsOptions: { padding: PADDING },
      localIdeographFontFamily: FONTS,
      attributionControl: false,
      dragRotate: false,
      pitchWithRotate: false,
      touchPitch: false,
      fadeDuration: 0,
      maxZoom: 19,
      locale: {
        "Map.Title": t("map"),
        "NavigationControl.ZoomIn": t("zoom_in"),
        "NavigationControl.ZoomOut": t("zoom_out"),
        "NavigationControl.ResetBearing": t("north"),
      },
    });
    flat(this.gl);
    this.gl.touchZoomRotate.disableRotation();
    this.gl.keyboard.disableRotation();
    // Until somebody looks closer the whole city stays in view, whatever the window does.
    this.gl.on("movestart", (event) => {
      if (event.originalEvent !== undefined && event.originalEvent.type !== "resize") this.#looked = true;
    });
    this.gl.on("resize", () => {
      if (!this.#looked) this.whole(0);
    });
    this.gl.addControl(new NavigationControl({ showCompass: false }), "top-left");
    this.gl.addControl(new ScaleControl({ maxWidth: 120 }), "bottom-right");
  }

  /** Resolve once the style stands and layers can be filled. */
  async ready(): Promise<void> {
    if (this.gl.isStyleLoaded()) return;
    await new Promise<void>((resolve) => void this.gl.once("load", () => resolve()));
  }

  async fill(api: Api, buildings: Buildings): Promise<void> {
    this.#putBuildings(buildings);
    const drawn = BASE_LAYERS.filter((name) => this.#overview.layers.includes(name));
    await Promise.all(
      drawn.map(async (name) => {
        const layer = await api.layer(name);
        this.layers.set(name, layer);
        this.put(name, { ...layer, features: layer.features.map((item, row) => ({ ...item, id: row })) });
        if (name === "communities") this.put("names", namesOf(layer));
      }),
    );
  }

  #putBuildings(buildings: Buildings): void {
    this.#rows = buildings.count;
    const features = Array.from({ length: buildings.count }, (_, row): Feature => {
      const place = [buildings.lon[row] ?? 0, buildings.lat[row] ?? 0];
      return {
        type: "Feature",
        id: row,
        properties: { n: buildings.households[row] ?? 0 },
        geometry: { type: "Point", coordinates: place },
      };
    });
    this.put("buildings", { type: "FeatureCollection", features });
  }

  /** Call whenever the map has lost the graphics card's memory and stands again, with no colours yet. */
  onRestored(restored: () => void): void {
    this.gl.on("style.load", () => {
      this.#classes = this.#wrong = null;
      restored();
    });
  }

  /** Fill one of the map's sources. */
  put(name: string, data: FeatureCollection): void {
    this.gl.getSource<GeoJSONSource>(name)?.setData(data);
  }

  /** Colour the buildings; only those whose class changed are touched. */
  shade(classes: Uint8Array, wrong: Uint8Array): void {
    for (let row = 0; row < this.#rows; row += 1) {
      if (this.#classes?.[row] === classes[row] && this.#wrong?.[row] === wrong[row]) continue;
      this.gl.setFeatureState({ source: "buildings", id: row }, { k: classes[row], wrong: wrong[row] });
    }
    this.#classes = classes;
    this.#wrong = wrong;
  }

  /** Colour the areas of a layer by share covered; a negative share leaves one without colour. */
  shadeAreas(name: "communities" | "grids", shares: readonly number[]): void {
    shares.forEach((share, row) => this.gl.setFeatureState({ source: name, id: row }, { share }));
  }

  /** Show what is switched on. */
  show(layers: ReadonlySet<string>): void {
    for (const [name, parts] of Object.entries(SWITCHES)) {
      for (const part of parts) this.visible(part, layers.has(name));
    }
  }

  visible(layer: string, on: boolean): void {
    this.gl.setLayoutProperty(layer, "visibility", on ? "visible" : "none");
  }

  whole(duration = pace()): void {
    const bounds = this.#overview.bounds as unknown as [number, number, number, number];
    this.#looked = false;
    this.gl.fitBounds(bounds, { padding: PADDING, duration });
  }

  fly(to: LonLat, zoom = 15.5): void {
    this.#looked = true;
    this.gl.easeTo({ center: [to[0], to[1]], zoom: Math.max(this.gl.getZoom(), zoom), duration: pace() });
  }
}

function pace(): number {
  return window.matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 500;
}

/** One label a community, in the middle of its box, rather than one a tile. */
function namesOf(layer: FeatureCollection): FeatureCollection {
  const features = layer.features.flatMap((item): Feature[] => {
    const box = boxOf(item.geometry);
    if (box === null) return [];
    return [{ type: "Feature", properties: { name: item.properties?.["name"] ?? "" }, geometry: { type: "Point", coordinates: box } }];
  });
  return { type: "FeatureCollection", features };
}

function boxOf(geometry: Geometry | null): [number, number] | null {
  if (geometry === null || geometry.type === "GeometryCollection") return null;
  const flat = (geometry.coordinates as unknown[]).flat(4) as number[];
  const [x, y] = [flat.filter((_, k) => k % 2 === 0), flat.filter((_, k) => k % 2 === 1)];
  if (x.length === 0) return null;
  return [(minOf(x) + maxOf(x)) / 2, (minOf(y) + maxOf(y)) / 2];
}

const minOf = (values: readonly number[]): number => values.reduce((a, b) => Math.min(a, b), Infinity);
const maxOf = (values: readonly number[]): number => values.reduce((a, b) => Math.max(a, b), -Infinity);
