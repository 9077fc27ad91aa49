import type { Feature } from "geojson";
import { type EditorApi, type Other } from "../api";
import { Offline } from "../model/sync";
import { nameOfUser } from "../names";
import type { Session } from "../session";

const MOVING_MS = 700;
const RESTING_MS = 3000;
const MOST_SELECTED = 50;

/** Dark enough to be read as text on the map, and told apart by colour-blind people. */
const COLOURS = ["#0b5fa5", "#a23b72", "#8a5a00", "#5b3fa0", "#00707a", "#a03318"] as const;

/** The colour of another editor, the same for all who see them. */
export function colourOf(client: string): string {
  const sum = [...client].reduce((total, letter) => (total * 31 + letter.charCodeAt(0)) % 65521, 7);
  return COLOURS[sum % COLOURS.length] as string;
}

/** Tells others where this planner points, and shows where they do. */
export class Presence {
  readonly #session: Session;
  readonly #api: EditorApi;
  readonly #client: string;
  readonly #heard: (others: readonly Other[]) => void;
  #at: readonly [number, number] | null = null;
  #moved = false;
  #saidAt = -Infinity;
  #asking = false;

  constructor(session: Session, client: string, heard: (others: readonly Other[]) => void) {
    this.#session = session;
    this.#api = session.api;
    this.#client = client;
    this.#heard = heard;
    const { gl } = session.map;
    gl.on("mousemove", ({ lngLat }) => this.#point(lngLat.lng, lngLat.lat));
    gl.on("touchmove", ({ lngLat }) => this.#point(lngLat.lng, lngLat.lat));
    gl.on("move", () => {
      if (document.activeElement === gl.getCanvas()) this.#point(gl.getCenter().lng, gl.getCenter().lat);
    });
    window.setInterval(() => void this.#beat(), MOVING_MS);
  }

  #point(lon: number, lat: number): void {
    this.#at = [lon, lat];
    this.#moved = true;
  }

  async #beat(): Promise<void> {
    const { store } = this.#session;
    const due = this.#moved || performance.now() - this.#saidAt >= RESTING_MS;
    if (!due || this.#asking || document.visibilityState !== "visible" || !store.now.sync.online) return;
    this.#moved = false;
    this.#saidAt = performance.now();
    this.#asking = true;
    try {
      const [x, y] = this.#at ?? [null, null];
      const selection = [...store.now.chosen].slice(0, MOST_SELECTED);
      this.#show(await this.#api.point({ client: this.#client, x, y, tool: store.now.tool, selection }));
    } catch (error) {
      if (!(error instanceof Offline)) throw error;
      this.#show([]);
    } finally {
      this.#asking = false;
    }
  }

  #show(others: readonly Other[]): void {
    const features = others.flatMap(({ client, user, x, y }): Feature[] => {
      if (x === null || y === null) return [];
      return [{ type: "Feature", properties: { name: nameOfUser(user.name), colour: colourOf(client) }, geometry: { type: "Point", coordinates: [x, y] } }];
    });
    this.#session.map.put("presence", { type: "FeatureCollection", features });
    this.#heard(others);
  }
}
