import type { EditorApi, PlanInfo } from "../api";

/** What the plan was made with, besides what every part of the editor knows. */
export interface MadeWith extends PlanInfo {
  readonly parent: { readonly id: string; readonly revision: number } | null;
  readonly created: string;
  readonly user: { readonly name: string };
  readonly standard: PlanInfo["standard"] & {
    readonly hard_max: number | null;
    readonly unit: string;
    readonly split_compound: string;
    readonly release: string;
    readonly barriers: Readonly<Record<string, "hard" | "soft">>;
    readonly type_rules: readonly TypeRule[];
    readonly dedicated: readonly string[];
    readonly levels: readonly string[];
    readonly sublevels: readonly { readonly name_zh: string; readonly name_en: string; readonly target: number }[];
  };
}

export interface TypeRule {
  readonly compound_type: string;
  readonly measure: "households" | "persons";
  readonly target: number | null;
  readonly one_compound_per_grid: boolean;
}

export interface JobDocument {
  readonly id: string;
  readonly state: "queued" | "running" | "done" | "failed" | "cancelled" | "interrupted";
  readonly progress: { readonly stage: string; readonly percent: number };
  readonly error: { readonly zh?: string; readonly en?: string } | null;
}

export interface Measure {
  readonly id: string;
  readonly zh: string;
  readonly en: string;
  readonly higher: boolean;
  readonly share: boolean;
}

export type AlternativeRow = Readonly<Record<string, unknown>> & {
  readonly id: string;
  readonly name_zh: string;
  readonly name_en: string;
  readonly why_zh: string;
  readonly why_en: string;
  readonly moved_households: number;
  readonly moved_cells: number;
};

export interface AlternativesDocument {
  readonly revision: number;
  readonly community: number | null;
  readonly measures: readonly Measure[];
  readonly present: Readonly<Record<string, number>>;
  readonly alternatives: readonly AlternativeRow[];
}

/** A small map: paths as in SVG. */
export interface Sketch {
  readonly width: number;
  readonly height: number;
  readonly grids: readonly { readonly id: number; readonly path: string; readonly colour: number; readonly out: boolean }[];
}

export interface Remark {
  readonly id: string;
  readonly text: string;
  readonly resolved: boolean;
  readonly user: { readonly id: string; readonly name: string };
  readonly at: string;
}

export interface StandardEntry {
  readonly id: string;
  readonly name_zh: string;
  readonly name_en: string;
  readonly measure: string;
  readonly target: number;
  readonly min: number;
  readonly max: number;
}

export interface PlanChoices {
  readonly standard: string;
  readonly target: number | null;
  readonly min: number | null;
  readonly max: number | null;
  readonly effort: string;
  readonly seed: number;
}

/** The service as the helpers ask it. */
export class Requests {
  readonly #api: EditorApi;

  constructor(api: EditorApi) {
    this.#api = api;
  }

  startAlternatives(community: number | null, effort: string): Promise<JobDocument> {
    return this.#api.asked<JobDocument>("alternatives", { community, effort });
  }

  alternatives(job: string): Promise<AlternativesDocument> {
    return this.#api.asked<AlternativesDocument>(`alternatives/${job}`);
  }

  sketches(job: string): Promise<Readonly<Record<string, Sketch>>> {
    return this.#api.asked<Readonly<Record<string, Sketch>>>(`alternatives/${job}/sketches`);
  }

  /** Return the grid of each cell in an alternative: -1 for none, below that new ones. */
  async cells(job: string, preset: string): Promise<Int32Array> {
    return new Int32Array(await this.#api.bytes(`alternatives/${job}/${preset}`));
  }

  branch(job: string, preset: string): Promise<{ id: string; name: string }> {
    return this.#api.asked<{ id: string; name: string }>(`alternatives/${job}/${preset}/branches`, {});
  }

  job(id: string): Promise<JobDocument> {
    return this.#api.asked<JobDocument>(`/jobs/${id}`);
  }

  cancel(id: string): Promise<JobDocument> {
    return this.#api.asked<JobDocument>(`/jobs/${id}/cancel`, {});
  }

  async standards(): Promise<readonly StandardEntry[]> {
    return (await this.#api.asked<{ standards: readonly StandardEntry[] }>("/standards")).standards;
  }

  startPlan(project: string, choices: PlanChoices): Promise<JobDocument> {
    return this.#api.asked<JobDocument>(`/projects/${project}/jobs`, choices);
  }

  /** Return the plan that a finished job made. */
  planOf(project: string, job: string): Promise<{ id: string; name: string }> {
    return this.#api.asked<{ id: string; name: string }>(`/projects/${project}/plans`, { job });
  }

  /** Return why grids are out of the band, as far as the engine's proofs still hold. */
  async reasons(): Promise<Readonly<Record<string, { zh: string; en: string }>>> {
    return (await this.#api.asked<{ reasons: Readonly<Record<string, { zh: string; en: string }>> }>("reasons")).reasons;
  }

  async remarks(grid: number): Promise<readonly Remark[]> {
    return (await this.#api.asked<{ comments: readonly Remark[] }>(`comments?grid=${grid}`)).comments;
  }

  remark(grid: number, text: string): Promise<Remark> {
    return this.#api.asked<Remark>("comments", { grid, text });
  }

  settle(id: string, resolved: boolean): Promise<Remark> {
    return this.#api.asked<Remark>(`comments/${id}`, { resolved }, "PATCH");
  }
}
