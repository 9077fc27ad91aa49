import { Marker } from "maplibre-gl";
import type { FeatureCollection } from "geojson";
import { stationColour } from "./classes";
import { h } from "../shared/dom";
import { t } from "./i18n";
import type { CityMap } from "./map";
import { type PlacedStation, type State, type StationKey, type Store, moveStation, placed, removeStation } from "./state";

const STEP_PX = 6;
const LONG_STEP_PX = 30;
const SETTLE_MS = 450;

const STEPS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

interface Badge {
  readonly marker: Marker;
  readonly element: HTMLButtonElement;
}

/** Stations as badges that are dragged, or moved with the arrow keys. */
export class Markers {
  readonly #map: CityMap;
  readonly #store: Store;
  readonly #badges = new Map<StationKey, Badge>();
  #held: StationKey | null = null;
  #settle = 0;

  constructor(map: CityMap, store: Store) {
    this.#map = map;
    this.#store = store;
  }

  draw(state: State): void {
    const stations = state.layers.has("stations") ? placed(state) : [];
    const wanted = new Set(stations.map((station) => station.key));
    for (const [key, badge] of this.#badges) {
      if (wanted.has(key)) continue;
      badge.marker.remove();
      this.#badges.delete(key);
    }
    for (const station of stations) this.#place(station, state);
    this.#map.put("trails", trails(stations));
  }

  focus(key: StationKey): void {
    this.#badges.get(key)?.element.focus();
  }

  #place(station: PlacedStation, state: State): void {
    const badge = this.#badges.get(station.key) ?? this.#make(station);
    if (this.#held !== station.key) badge.marker.setLngLat([station.lon, station.lat]);
    const category = state.overview.categories[station.category]?.name ?? "";
    const { element } = badge;
    element.classList.toggle("proposed", station.proposed);
    element.classList.toggle("moved", station.from !== null);
    element.classList.toggle("chosen", state.station === station.key);
    element.style.setProperty("--badge", stationColour(station.category));
    element.textContent = category.slice(0, 1);
    element.title = station.proposed ? `${station.name} · ${t("proposed")}` : station.name;
    element.setAttribute("aria-label", t("station_label", { name: station.name, category }));
  }

  #make(station: PlacedStation): Badge {
    const { key } = station;
    const element = h("button", { type: "button", class: "badge", "data-station": key });
    const marker = new Marker({ element, draggable: true }).setLngLat([station.lon, station.lat]).addTo(this.#map.gl);
    // MapLibre gives its markers a role; this one is a button already.
    element.removeAttribute("role");
    marker.on("dragstart", () => {
      this.#held = key;
      this.#store.set({ station: key });
    });
    marker.on("drag", () => this.#draft(key, marker));
    marker.on("dragend", () => {
      this.#held = null;
      this.#drop();
    });
    element.addEventListener("click", (event) => {
      event.stopPropagation();
      this.#store.set({ station: key });
    });
    element.addEventListener("keydown", (event) => this.#key(event, key, marker));
    element.addEventListener("blur", () => this.#drop());
    const badge = { marker, element };
    this.#badges.set(key, badge);
    return badge;
  }

  #key(event: KeyboardEvent, key: StationKey, marker: Marker): void {
    if (event.key === "Delete" || event.key === "Backspace") {
      event.preventDefault();
      event.stopPropagation();
      this.#store.change(removeStation(this.#store.now.edits, key));
      this.#store.set({ station: null });
      return;
    }
    const step = STEPS[event.key];
    if (step === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    const by = event.shiftKey ? LONG_STEP_PX : STEP_PX;
    const at = this.#map.gl.project(marker.getLngLat());
    marker.setLngLat(this.#map.gl.unproject([at.x + step[0] * by, at.y + step[1] * by]));
    if (this.#store.now.station !== key) this.#store.set({ station: key });
    this.#draft(key, marker);
    window.clearTimeout(this.#settle);
    this.#settle = window.setTimeout(() => this.#drop(), SETTLE_MS);
  }

  #draft(key: StationKey, marker: Marker): void {
    const { lng, lat } = marker.getLngLat();
    const to = [round(lng), round(lat)] as const;
    this.#store.set({ draft: moveStation(this.#store.now.edits, key, to) });
  }

  #drop(): void {
    window.clearTimeout(this.#settle);
    const { draft } = this.#store.now;
    if (draft !== null) this.#store.change(draft);
  }
}

/** A line from where a station was to where it would be. */
function trails(stations: readonly PlacedStation[]): FeatureCollection {
  const features = stations.flatMap((station) =>
    station.from === null
      ? []
      : [
          {
            type: "Feature" as const,
            properties: {},
            geometry: {
              type: "LineString" as const,
              coordinates: [[...station.from], [station.lon, station.lat]],
            },
          },
        ],
  );
  return { type: "FeatureCollection", features };
}

const round = (degrees: number): number => Math.round(degrees * 1e6) / 1e6;
