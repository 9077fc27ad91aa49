import { Store as SharedStore } from "../shared/store";
import type { Answer, AskedChanges, LonLat, Method, Overview, Scenario, SolveBody } from "./api";

/** What the planner asks, apart from changes to the city. */
export interface Question {
  readonly method: Method;
  readonly minutes: number;
  readonly speed: number;
  readonly category: number | null;
  readonly window: string | null;
}

export interface AddedStation {
  readonly lon: number;
  readonly lat: number;
  readonly category: number;
  readonly name: string;
}

/** The city as the planner would have it; never changed in place, so that undo is a list of these. */
export interface Edits {
  readonly moved: ReadonlyMap<number, LonLat>;
  readonly removed: ReadonlySet<number>;
  readonly added: readonly AddedStation[];
  readonly gates: readonly LonLat[];
  readonly bridges: readonly (readonly LonLat[])[];
  readonly paths: readonly (readonly LonLat[])[];
}

export const NO_EDITS: Edits = {
  moved: new Map(),
  removed: new Set(),
  added: [],
  gates: [],
  bridges: [],
  paths: [],
};

export type Tool = "gate" | "bridge" | "path" | "station";
export type Shade = "buildings" | "communities" | "grids";

/** A station on the map: one of the project's by its row, or an added one by its place in the list. */
export type StationKey = `s${number}` | `a${number}`;

export interface State {
  readonly overview: Overview;
  readonly question: Question;
  readonly edits: Edits;
  /** A station on its way; not in the history yet. */
  readonly draft: Edits | null;
  readonly past: readonly Edits[];
  readonly future: readonly Edits[];
  readonly answer: Answer | null;
  /** The answer to the same question without changes. */
  readonly baseline: Answer | null;
  /** The answer by walking while circles are shown, to say what they get wrong. */
  readonly walk: Answer | null;
  readonly busy: boolean;
  readonly fault: string | null;
  readonly shade: Shade;
  readonly layers: ReadonlySet<string>;
  readonly tool: Tool | null;
  readonly station: StationKey | null;
  readonly gap: number | null;
}

/** The one place where the page's state changes. */
export class Store extends SharedStore<State> {
  ask(patch: Partial<Question>): void {
    this.set({ question: { ...this.now.question, ...patch }, gap: null });
  }

  /** Make a change that undo takes back. */
  change(edits: Edits): void {
    const { edits: old, past } = this.now;
    this.set({ edits, draft: null, past: [...past, old], future: [], gap: null });
  }

  undo(): void {
    const { edits, past, future } = this.now;
    const last = past.at(-1);
    if (last === undefined) return;
    this.set({ edits: last, draft: null, past: past.slice(0, -1), future: [edits, ...future], station: null });
  }

  redo(): void {
    const { edits, past, future } = this.now;
    const [next, ...rest] = future;
    if (next === undefined) return;
    this.set({ edits: next, draft: null, past: [...past, edits], future: rest, station: null });
  }

  reset(): void {
    if (isChanged(this.now.edits)) this.change(NO_EDITS);
  }
}

/** Return the state of a page that has just opened. */
export function firstState(overview: Overview): State {
  const first = overview.categories.find((category) => category.stations > 0);
  return {
    overview,
    question: {
      method: overview.method_default,
      minutes: overview.minutes_default,
      speed: overview.speeds.adult,
      category: first?.id ?? null,
      window: null,
    },
    edits: NO_EDITS,
    draft: null,
    past: [],
    future: [],
    answer: null,
    baseline: null,
    walk: null,
    busy: true,
    fault: null,
    shade: "buildings",
    layers: new Set(["communities", "roads", "water", "railways", "compounds", "stations", "gaps"]),
    tool: null,
    station: null,
    gap: null,
  };
}

/** The changes to show: with the station on its way, if there is one. */
export function shown(state: State): Edits {
  return state.draft ?? state.edits;
}

/** Whether anything differs from the project. */
export function isChanged(edits: Edits): boolean {
  return (
    edits.moved.size + edits.removed.size + edits.added.length > 0 ||
    edits.gates.length + edits.bridges.length + edits.paths.length > 0
  );
}

/** Return the changes with a station at another place. */
export function moveStation(edits: Edits, key: StationKey, to: LonLat): Edits {
  const at = Number(key.slice(1));
  if (key.startsWith("s")) return { ...edits, moved: new Map(edits.moved).set(at, to) };
  const added = edits.added.map((item, k) => (k === at ? { ...item, lon: to[0], lat: to[1] } : item));
  return { ...edits, added };
}

/** Return the changes without a station. */
export function removeStation(edits: Edits, key: StationKey): Edits {
  const at = Number(key.slice(1));
  if (key.startsWith("s")) return { ...edits, removed: new Set(edits.removed).add(at) };
  return { ...edits, added: edits.added.filter((_, k) => k !== at) };
}

/** Return the changes with a station of the project back as it was. */
export function restoreStation(edits: Edits, row: number): Edits {
  const [removed, moved] = [new Set(edits.removed), new Map(edits.moved)];
  removed.delete(row);
  moved.delete(row);
  return { ...edits, removed, moved };
}

/** One station as it would be. */
export interface PlacedStation {
  readonly key: StationKey;
  readonly lon: number;
  readonly lat: number;
  readonly from: LonLat | null;
  readonly name: string;
  readonly category: number;
  readonly proposed: boolean;
}

/** Return the stations of a category, or all, as the changes have them. */
export function placed(state: State): PlacedStation[] {
  const edits = shown(state);
  const wanted = state.question.category;
  const own = state.overview.stations
    .filter((station) => !edits.removed.has(station.row))
    .map((station): PlacedStation => {
      const to = edits.moved.get(station.row);
      return {
        key: `s${station.row}`,
        lon: to?.[0] ?? station.lon,
        lat: to?.[1] ?? station.lat,
        from: to === undefined ? null : [station.lon, station.lat],
        name: station.name,
        category: station.category,
        proposed: false,
      };
    });
  const added = edits.added.map(
    (item, k): PlacedStation => ({ ...item, key: `a${k}`, from: null, proposed: true }),
  );
  return [...own, ...added].filter((station) => wanted === null || station.category === wanted);
}

/** Return the stations' part of a question. */
export function askedChanges(edits: Edits): AskedChanges {
  return {
    stations: [...edits.moved]
      .filter(([row]) => !edits.removed.has(row))
      .map(([row, [lon, lat]]) => ({ row, lon, lat })),
    added: edits.added.map(({ lon, lat, category }) => ({ lon, lat, category })),
    removed: [...edits.removed],
  };
}

/** Return what is sent for a question and changes. */
export function solveBody(question: Question, edits: Edits, gaps: boolean): SolveBody {
  const scenario: Scenario = { gates: edits.gates, bridges: edits.bridges, paths: edits.paths };
  return { ...question, ...askedChanges(edits), scenario, gaps };
}

/** Return covered and all households of the chosen category; of all together, those that reach every one. */
export function coveredOf(answer: Answer, category: number | null): { covered: number; households: number } {
  const total = answer.totals.find((item) => item.category === category);
  if (total !== undefined) return { covered: total.covered, households: total.households };
  const households = answer.reached.reduce((sum, count) => sum + count, 0);
  return { covered: answer.reached.at(-1) ?? 0, households };
}
