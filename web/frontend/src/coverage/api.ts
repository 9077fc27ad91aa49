import type { FeatureCollection, MultiPolygon, Polygon } from "geojson";
import { either, t } from "./i18n";

export type Method = "network" | "circle" | "detour";
export type LonLat = readonly [number, number];

export interface Category {
  readonly id: number;
  readonly name: string;
  readonly stations: number;
}

export interface Community {
  readonly row: number;
  readonly id: string;
  readonly name: string;
  readonly households: number;
}

export interface Station {
  readonly row: number;
  readonly lon: number;
  readonly lat: number;
  readonly name: string;
  readonly category: number;
}

export interface Candidate {
  readonly row: number;
  readonly lon: number;
  readonly lat: number;
  readonly name: string;
}

export interface Finding {
  readonly code: string;
  readonly severity: string;
  readonly zh: string;
  readonly en: string;
}

export interface Overview {
  readonly state: "ready";
  readonly method_default: Method;
  readonly minutes_default: number;
  readonly speeds: { readonly adult: number; readonly elderly: number };
  readonly bounds: readonly [number, number, number, number];
  readonly categories: readonly Category[];
  readonly windows: readonly string[];
  readonly communities: readonly Community[];
  readonly grids: boolean;
  readonly counts: Readonly<Record<"buildings" | "households" | "stations" | "candidates", number>>;
  readonly stations: readonly Station[];
  readonly candidates: readonly Candidate[];
  readonly layers: readonly string[];
  readonly network: { readonly connected_before: number; readonly connected_after: number } | null;
  readonly findings: readonly Finding[];
}

export type Opening =
  | Overview
  | { readonly state: "building"; readonly progress: { stage: string; done: number; total: number } }
  | { readonly state: "missing-stations"; readonly message_zh: string; readonly message_en: string }
  | { readonly state: "failed"; readonly error: { code: string; zh: string; en: string } };

export interface Scenario {
  readonly gates: readonly LonLat[];
  readonly bridges: readonly (readonly LonLat[])[];
  readonly paths: readonly (readonly LonLat[])[];
}

export interface AskedChanges {
  readonly stations: readonly { row: number; lon: number; lat: number }[];
  readonly added: readonly { lon: number; lat: number; category: number }[];
  readonly removed: readonly number[];
}

export interface SolveBody extends AskedChanges {
  readonly method: Method;
  readonly minutes: number;
  readonly speed: number;
  readonly category: number | null;
  readonly window: string | null;
  readonly scenario: Scenario;
  readonly gaps: boolean;
}

export interface Total {
  readonly category: number;
  readonly stations: number;
  readonly open_stations: number;
  readonly households: number;
  readonly covered: number;
  readonly share: number | null;
  readonly circle: {
    readonly covered: number;
    readonly wrongly_in: number;
    readonly wrongly_out: number;
    readonly equivalent_radius_m: number;
  };
  readonly unreachable: { readonly off_network: number; readonly island: number };
}

export interface Gap {
  readonly reason: string;
  readonly households: number;
  readonly buildings: number;
  readonly lon: number;
  readonly lat: number;
  readonly community: number;
  readonly category: number;
  readonly minutes: number | null;
}

export interface Band {
  readonly from: number;
  readonly to: number | null;
  readonly households: number;
}

export interface Answer {
  readonly method: Method;
  readonly radius_m: number;
  readonly totals: readonly Total[];
  readonly reached: readonly number[];
  readonly communities: readonly number[];
  readonly grids: readonly number[] | null;
  readonly bands: readonly Band[];
  readonly minutes: string;
  readonly circle_covered: string;
  readonly gaps: readonly Gap[];
  readonly findings: readonly Finding[];
  readonly ms: number;
}

export interface ReachProperties {
  readonly category: number;
  readonly name: string;
  readonly error: { readonly claimed_in_wrong: number; readonly missed: number } | null;
}

export type Reach = FeatureCollection<Polygon | MultiPolygon, ReachProperties>;

export type SitingModel = "mclp" | "lscp" | "pmedian";

export interface SitingBody extends AskedChanges {
  readonly model: SitingModel;
  readonly p: number;
  readonly category: number;
  readonly minutes: number;
  readonly speed: number;
  readonly method: "network" | "circle";
  readonly candidates: string;
  readonly capacity: number | null;
}

export interface Site {
  readonly name: string;
  readonly lon: number;
  readonly lat: number;
  readonly gain: number;
}

export interface SitingAnswer {
  readonly stage: string;
  readonly done: boolean;
  readonly sites: readonly Site[];
  readonly gap_percent: number | null;
  readonly proved: boolean;
  readonly before: { readonly covered: number; readonly households: number };
  readonly after: { readonly covered: number; readonly households: number };
  readonly out_of_reach: number;
}

export interface Job {
  readonly id: string;
  readonly state: "queued" | "running" | "done" | "failed" | "cancelled";
  readonly progress: { stage: string; percent: number };
  readonly error: { code: string; zh: string; en: string } | null;
  readonly answer?: SitingAnswer | null;
}

/** What the service refused, in the words it gave. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

interface Problem {
  readonly code?: string;
  readonly title?: string;
  readonly detail?: string;
  readonly detail_zh?: string;
  readonly detail_en?: string;
  readonly zh?: string;
  readonly en?: string;
}

/** The coverage routes of one project. */
export class Api {
  readonly #base: string;
  readonly #jobs: string;

  constructor(base: string, jobs: string) {
    this.#base = base;
    this.#jobs = jobs;
  }

  async overview(retry: boolean): Promise<Opening> {
    return (await (await ask(`${this.#base}${retry ? "?retry=1" : ""}`)).json()) as Opening;
  }

  async buildings(): Promise<ArrayBuffer> {
    return (await ask(`${this.#base}/buildings`)).arrayBuffer();
  }

  async layer(name: string): Promise<FeatureCollection> {
    return (await (await ask(`${this.#base}/layers/${name}`)).json()) as FeatureCollection;
  }

  async solve(body: SolveBody): Promise<Answer> {
    return (await (await ask(`${this.#base}/solve`, "POST", body)).json()) as Answer;
  }

  async isochrones(body: SolveBody): Promise<Reach> {
    return (await (await ask(`${this.#base}/isochrones`, "POST", body)).json()) as Reach;
  }

  async exported(name: string, body: SolveBody): Promise<Blob> {
    return (await ask(`${this.#base}/export/${name}`, "POST", body)).blob();
  }

  async site(body: SitingBody): Promise<Job> {
    return (await (await ask(`${this.#base}/siting`, "POST", body)).json()) as Job;
  }

  async job(id: string): Promise<Job> {
    return (await (await ask(`${this.#jobs}${id}`)).json()) as Job;
  }

  async cancel(id: string): Promise<void> {
    await ask(`${this.#jobs}${id}/cancel`, "POST", {});
  }
}

async function ask(url: string, method = "GET", body?: unknown): Promise<Response> {
  const asked: RequestInit =
    body === undefined
      ? { method }
      : { method, headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  let response: Response;
  try {
    response = await fetch(url, asked);
  } catch {
    throw new ApiError(0, "offline", t("offline"));
  }
  if (response.ok) return response;
  const problem = (await response.json().catch(() => ({}))) as Problem;
  const zh = problem.detail_zh ?? problem.zh ?? problem.detail ?? problem.title;
  const en = problem.detail_en ?? problem.en ?? problem.detail ?? problem.title;
  const fallback = `HTTP ${response.status}`;
  throw new ApiError(response.status, problem.code ?? "", either(zh ?? fallback, en ?? fallback));
}
