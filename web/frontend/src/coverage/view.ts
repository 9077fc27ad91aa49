import type { FeatureCollection } from "geojson";
import type { GeoJSONFeature, MapMouseEvent } from "maplibre-gl";
import { type Api, ApiError, type Reach } from "./api";
import { classify, countClasses } from "./classes";
import { type Buildings, NO_WAY, readBytes, readHundredths } from "./decode";
import { h, say } from "../shared/dom";
import { number, t } from "./i18n";
import type { CityMap } from "./map";
import { Markers } from "./markers";
import type { Legend } from "./panels/legend";
import { type State, type Store, shown, solveBody } from "./state";

const PLACES = 5;

/** Keeps the map in step with the state. */
export class MapView {
  readonly #map: CityMap;
  readonly #store: Store;
  readonly #api: Api;
  readonly #buildings: Buildings;
  readonly #legend: Legend;
  readonly #markers: Markers;
  /** What is known of the building under the pointer. */
  readonly tip = h("p", { class: "overlay tip", hidden: true });
  #households: readonly number[] = [];
  readonly #gridHouseholds: readonly number[];
  #reach: Reach | null = null;
  #asked = "";
  #minutes: Uint16Array = new Uint16Array();

  constructor(map: CityMap, store: Store, api: Api, buildings: Buildings, legend: Legend) {
    this.#map = map;
    this.#store = store;
    this.#api = api;
    this.#buildings = buildings;
    this.#legend = legend;
    this.#markers = new Markers(map, store);
    const grids = map.layers.get("grids")?.features ?? [];
    this.#gridHouseholds = grids.map((item) => Number(item.properties?.["households"] ?? 0));
    map.put("candidates", points(store.now.overview.candidates));
    map.gl.on("click", (event) => this.#click(event));
    map.gl.on("mousemove", (event) => this.#point(event));
    map.gl.on("mouseout", () => (this.tip.hidden = true));
    map.gl.on("mousemove", "gaps", () => (map.gl.getCanvas().style.cursor = "pointer"));
    map.gl.on("mouseleave", "gaps", () => (map.gl.getCanvas().style.cursor = ""));
    store.subscribe((now, before) => this.follow(now, before));
    map.onRestored(() => this.follow(store.now, null));
  }

  /** Draw what changed between two states; everything without an earlier one. */
  follow(now: State, before: State | null): void {
    const fresh = now.answer !== before?.answer || now.walk !== before.walk;
    if (fresh) this.#figures(now);
    if (now.shade !== before?.shade || now.layers !== before.layers || fresh) this.#switches(now);
    const stations = shown(now) !== (before && shown(before)) || now.station !== before?.station;
    if (stations || now.question !== before?.question || now.layers !== before.layers) this.#markers.draw(now);
    if (now.gap !== before?.gap) this.#gap(now, before);
    if (fresh || now.layers !== before?.layers) void this.#reaches(now);
    if (fresh || now.shade !== before?.shade || now.layers !== before.layers) this.#drawLegend();
  }

  #drawLegend(): void {
    this.#legend.render(this.#store.now, this.#households, this.#reach);
  }

  #figures({ answer, walk, question, overview }: State): void {
    if (answer === null) return;
    const minutes = readHundredths(answer.minutes);
    const classes = classify(this.#buildings, minutes, question.minutes, answer.method);
    this.#households = countClasses(classes, this.#buildings);
    const limit = Math.round(question.minutes * 100);
    const circle = readBytes(answer.circle_covered);
    const walked = walk === null ? minutes : readHundredths(walk.minutes);
    this.#map.shade(classes, circle.map((inside, row) => (inside === 1 && (walked[row] ?? 0) > limit ? 1 : 0)));
    this.#minutes = minutes;
    const shares = overview.communities.map(({ row, households }) =>
      households === 0 ? -1 : (answer.communities[row] ?? 0) / households,
    );
    this.#map.shadeAreas("communities", shares);
    const grids = this.#gridHouseholds.map((n, row) => (n === 0 ? -1 : (answer.grids?.[row] ?? 0) / n));
    this.#map.shadeAreas("grids", grids);
    this.#map.put("gaps", {
      type: "FeatureCollection",
      features: answer.gaps.map((gap, k) => ({
        type: "Feature",
        id: k,
        properties: { n: gap.households, rank: String(k + 1) },
        geometry: { type: "Point", coordinates: [gap.lon, gap.lat] },
      })),
    });
  }

  #switches({ layers, shade, answer }: State): void {
    // What the circle gets wrong is shown with it.
    this.#map.show(answer?.method === "circle" && shade === "buildings" ? new Set(layers).add("wrong") : layers);
    this.#map.visible("buildings", shade === "buildings");
    this.#map.visible("communities-share", shade === "communities");
    this.#map.visible("grids-share", shade === "grids");
    if (shade === "grids") this.#map.visible("grids-line", true);
  }

  #gap(now: State, before: State | null): void {
    const mark = (id: number | null | undefined, on: number): void => {
      if (id !== null && id !== undefined) this.#map.gl.setFeatureState({ source: "gaps", id }, { on });
    };
    mark(before?.gap, 0);
    mark(now.gap, 1);
  }

  #click(event: MapMouseEvent): void {
    if (this.#store.now.tool !== null) return;
    const [hit]: GeoJSONFeature[] = this.#map.gl.queryRenderedFeatures(event.point, { layers: ["gaps"] });
    this.#store.set({ gap: hit === undefined ? null : Number(hit.id), station: null });
  }

  #point(event: MapMouseEvent): void {
    const { tip } = this;
    const near = this.#store.now.shade === "buildings" && this.#store.now.tool === null;
    const [hit] = near ? this.#map.gl.queryRenderedFeatures(event.point, { layers: ["buildings"] }) : [];
    tip.hidden = hit === undefined;
    if (hit === undefined) return;
    const row = Number(hit.id);
    const walk = this.#minutes[row] ?? NO_WAY;
    const minutes = walk === NO_WAY ? t("unreached") : t("minutes_unit", { n: number(walk / 100, 1) });
    say(tip, `${t("n_households", { n: this.#buildings.households[row] ?? 0 })} · ${minutes}`);
    tip.style.transform = `translate(${event.point.x + 12}px, ${event.point.y - 30}px)`;
  }

  /** Areas in reach are only for the eye, so they come after the figures. */
  async #reaches(now: State): Promise<void> {
    if (!now.layers.has("isochrones") || now.draft !== null || now.answer === null) return;
    const body = solveBody(now.question, now.edits, false);
    const asked = JSON.stringify(body);
    if (asked === this.#asked) return;
    this.#asked = asked;
    try {
      const reach = await this.#api.isochrones(body);
      if (this.#asked !== asked) return;
      this.#reach = reach;
      this.#map.put("reach", reach as FeatureCollection);
      this.#drawLegend();
    } catch (error) {
      this.#asked = "";
      this.#store.set({ fault: error instanceof ApiError ? error.message : String(error) });
    }
  }
}

function points(places: readonly { lon: number; lat: number; name: string }[]): FeatureCollection {
  const features = places.map(({ lon, lat, name }) => ({
    type: "Feature" as const,
    properties: { name },
    geometry: { type: "Point" as const, coordinates: [lon, lat] },
  }));
  return { type: "FeatureCollection", features };
}

/** North arrow, a button for the whole city, and the coordinates under the pointer. */
export function furniture(map: CityMap): HTMLElement[] {
  const where = h("output", { class: "overlay coordinates", "aria-hidden": "true" });
  const tell = ({ lng, lat }: { lng: number; lat: number }): void =>
    say(where, `${lng.toFixed(PLACES)}, ${lat.toFixed(PLACES)}`);
  map.gl.on("mousemove", (event) => tell(event.lngLat));
  map.gl.on("move", () => tell(map.gl.getCenter()));
  tell(map.gl.getCenter());
  const whole = h("button", { type: "button", class: "overlay whole", click: () => map.whole() }, t("zoom_all"));
  const north = h("p", { class: "north", title: t("north_up") }, h("span", { "aria-hidden": "true" }, "▲"), t("north"));
  return [where, whole, north, h("span", { class: "cross", "aria-hidden": "true" })];
}
