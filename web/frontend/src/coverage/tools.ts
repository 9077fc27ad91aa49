import type { Feature, FeatureCollection } from "geojson";
import type { MapMouseEvent } from "maplibre-gl";
import type { LonLat } from "./api";
import { t } from "./i18n";
import type { CityMap } from "./map";
import { type Edits, type Store, type Tool, shown } from "./state";

const POINTS: Readonly<Record<Tool, number>> = { gate: 1, station: 1, bridge: 2, path: 2 };

/** Clicks on the map, or Enter at its middle, that add a gate, a bridge, a path or a station. */
export class Tools {
  readonly #map: CityMap;
  readonly #store: Store;
  #points: LonLat[] = [];

  constructor(map: CityMap, store: Store, frame: HTMLElement) {
    this.#map = map;
    this.#store = store;
    map.gl.on("click", (event: MapMouseEvent) => this.#click([event.lngLat.lng, event.lngLat.lat]));
    map.gl.getCanvas().addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || store.now.tool === null) return;
      event.preventDefault();
      const { lng, lat } = map.gl.getCenter();
      this.#click([lng, lat]);
    });
    store.subscribe((now, before) => {
      if (now.tool !== before.tool) {
        this.#points = [];
        frame.classList.toggle("placing", now.tool !== null);
        if (now.tool !== null) map.gl.getCanvas().focus({ preventScroll: true });
      }
      if (now.tool !== before.tool || shown(now) !== shown(before)) this.#draw();
    });
    this.#draw();
  }

  #click(at: LonLat): void {
    const { tool } = this.#store.now;
    if (tool === null) return;
    this.#points.push([round(at[0]), round(at[1])]);
    if (this.#points.length < POINTS[tool]) {
      this.#draw();
      return;
    }
    const points = this.#points;
    this.#points = [];
    this.#store.set({ tool: null });
    this.#store.change(this.#added(tool, points));
  }

  #added(tool: Tool, points: readonly LonLat[]): Edits {
    const { edits, question, overview } = this.#store.now;
    const [at] = points;
    if (at === undefined) return edits;
    if (tool === "gate") return { ...edits, gates: [...edits.gates, at] };
    if (tool === "bridge") return { ...edits, bridges: [...edits.bridges, points] };
    if (tool === "path") return { ...edits, paths: [...edits.paths, points] };
    const category = question.category ?? 0;
    const name = t("new_station", { n: edits.added.length + 1, category: overview.categories[category]?.name ?? "" });
    return { ...edits, added: [...edits.added, { lon: at[0], lat: at[1], category, name }] };
  }

  #draw(): void {
    const edits = shown(this.#store.now);
    const features = [
      ...edits.gates.map((at) => point("gate", at)),
      ...this.#points.map((at) => point("draft", at)),
      ...edits.bridges.map((course) => line("bridge", course)),
      ...edits.paths.map((course) => line("path", course)),
    ];
    this.#map.put("scenario", { type: "FeatureCollection", features } satisfies FeatureCollection);
  }
}

function point(kind: string, at: LonLat): Feature {
  return { type: "Feature", properties: { kind }, geometry: { type: "Point", coordinates: [...at] } };
}

function line(kind: string, course: readonly LonLat[]): Feature {
  const coordinates = course.map((at) => [...at]);
  return { type: "Feature", properties: { kind }, geometry: { type: "LineString", coordinates } };
}

const round = (degrees: number): number => Math.round(degrees * 1e6) / 1e6;
