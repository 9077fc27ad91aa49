import { UNASSIGNED, type GridEdit, type GridRecord } from "./model/plan";
import { type Answer, type Change, type Confirmed, type EditDocument, Offline, type Pending } from "./model/sync";
import { either } from "../shared/i18n";
import type { Comparison } from "./compare/answer";
import type { BaseMap } from "./map/base";
import type { TileSet } from "./map/map";
import type { DivisionInfo } from "./model/divided";

/** What the service says of a plan. */
export interface PlanInfo {
  readonly id: string;
  readonly project: string;
  readonly dataset: string;
  readonly name: string;
  readonly status: string;
  readonly revision: number;
  readonly may_edit: boolean;
  readonly standard: {
    readonly id: string;
    readonly name_zh: string;
    readonly name_en: string;
    readonly measure: "households" | "persons";
    readonly target: number;
    readonly min: number;
    readonly max: number;
  };
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly pinned: readonly number[];
  readonly divisions: readonly DivisionInfo[];
  readonly summary: Readonly<Record<string, number>>;
}

/** A plan as it is listed. */
export type PlanEntry = Omit<PlanInfo, "may_edit" | "pinned" | "divisions"> & { readonly parent: { readonly id: string } | null };

export interface ChangeDocument {
  readonly cells?: readonly number[];
  readonly before?: readonly number[];
  readonly after?: readonly number[];
  readonly grids?: readonly GridEdit[];
  readonly pins?: readonly number[];
  readonly pinned?: readonly boolean[];
  readonly divisions?: readonly unknown[];
}

export interface User {
  readonly id: string;
  readonly name: string;
}

export interface EditInfo {
  readonly revision: number;
  readonly op_id: string;
  readonly user: User;
  readonly at: string;
  readonly kind: string;
  readonly summary_zh: string;
  readonly summary_en: string;
  readonly change?: ChangeDocument;
  /** Revision that it takes back, or makes again. */
  readonly undoes: number | null;
  readonly redoes: number | null;
}

/** Somebody else who has the plan open, or another tab. */
export interface Other {
  readonly client: string;
  readonly user: User;
  readonly x: number | null;
  readonly y: number | null;
  readonly tool: string;
  readonly selection: readonly number[];
}

export interface Cursor {
  readonly client: string;
  readonly x: number | null;
  readonly y: number | null;
  readonly tool: string;
  readonly selection: readonly number[];
}

/** Hears of every edit as it becomes known, and whether this page made it. */
export type Heard = (edits: readonly EditInfo[], own: boolean) => void;

export interface EditAnswer {
  readonly revision: number;
  readonly edit: EditInfo;
  readonly change: ChangeDocument;
}

export interface TileState {
  readonly tiles: TileSet | null;
  readonly job: string | null;
}

export interface JobInfo {
  readonly state: string;
  readonly progress: { readonly percent: number };
  readonly error: string | null;
}

interface JobAnswer extends Omit<JobInfo, "error"> {
  readonly error: { readonly zh: string; readonly en: string } | null;
}

interface Problem {
  readonly code: string;
  readonly detail_zh: string;
  readonly detail_en: string;
  readonly where: { readonly objects?: readonly { type: string; id: number; revision: number; user: { readonly name: string } }[] };
}

export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly where: Problem["where"];

  constructor(status: number, problem: Partial<Problem>) {
    super(either(problem.detail_zh ?? "", problem.detail_en ?? "") || `HTTP ${status}`);
    this.status = status;
    this.code = problem.code ?? "";
    this.where = problem.where ?? {};
  }
}

const TIMEOUT_MS = 60_000;
/** The engine may read the city first, and then work for as long as its own limit. */
const PREVIEW_MS = 150_000;

/** The service as the editor needs it. */
export class EditorApi {
  readonly #plan: string;
  readonly #root: string;
  readonly #hearing: Heard[] = [];

  constructor(root: string, plan: string) {
    this.#root = root;
    this.#plan = `${root}/plans/${plan}`;
  }

  tilesUrl(dataset: string): string {
    return `${this.#root}/datasets/${dataset}/tiles`;
  }

  /** The service as it is asked about another plan. */
  of(plan: string): EditorApi {
    return new EditorApi(this.#root, plan);
  }

  /** List the plans of a project, newest first. */
  async plans(project: string): Promise<readonly PlanEntry[]> {
    return (await this.#json<{ plans: readonly PlanEntry[] }>(`${this.#root}/projects/${project}/plans`)).plans;
  }

  comparison(other: string): Promise<Comparison> {
    return this.#json<Comparison>(`${this.#plan}/compare/${other}`);
  }

  crosswalkUrl(other: string): string {
    return `${this.#plan}/compare/${other}/crosswalk.csv`;
  }

  info(): Promise<PlanInfo> {
    return this.#json<PlanInfo>(this.#plan);
  }

  tiles(dataset: string): Promise<TileSet> {
    return this.#json<TileSet>(`${this.tilesUrl(dataset)}/tiles.json`);
  }

  /** Return what tiles there are, or the job that draws them. */
  tileState(dataset: string): Promise<TileState> {
    return this.#json<TileState>(this.tilesUrl(dataset));
  }

  /** List the base maps that the settings of the service name. */
  async baseMaps(): Promise<readonly BaseMap[]> {
    return (await this.#json<{ basemaps: readonly BaseMap[] }>(`${this.#root}/basemaps`)).basemaps;
  }

  /** Return a job as far as it is; its error in the reader's language. */
  async job(id: string): Promise<JobInfo> {
    const { state, progress, error } = await this.#json<JobAnswer>(`${this.#root}/jobs/${id}`);
    return { state, progress, error: error === null ? null : either(error.zh, error.en) };
  }

  async ground(dataset: string): Promise<ArrayBuffer> {
    return (await this.#ask(`${this.#root}/datasets/${dataset}/ground?pairs=once`)).arrayBuffer();
  }

  async assignment(): Promise<{ revision: number; cells: Int32Array }> {
    const answer = await this.#ask(`${this.#plan}/assignment`);
    const revision = Number((answer.headers.get("ETag") ?? "0").replace(/\D/g, ""));
    return { revision, cells: new Int32Array(await answer.arrayBuffer()) };
  }

  async loads(): Promise<Int32Array> {
    return new Int32Array(await (await this.#ask(`${this.#plan}/loads`)).arrayBuffer());
  }

  async grids(): Promise<readonly GridRecord[]> {
    return (await this.#json<{ grids: readonly GridRecord[] }>(`${this.#plan}/grids?figures=false`)).grids;
  }

  /** List what was done after a revision, the earliest first. */
  async log(since: number): Promise<readonly EditInfo[]> {
    const edits: EditInfo[] = [];
    for (let from = since; ; from = edits.at(-1)?.revision ?? from) {
      const part = await this.#json<{ edits: readonly EditInfo[]; more: boolean }>(`${this.#plan}/edits?since=${from}&limit=1000`);
      edits.push(...part.edits);
      if (!part.more || part.edits.length === 0) return edits;
    }
  }

  edit(pending: Pending): Promise<EditAnswer> {
    return this.#send<EditAnswer>(`${this.#plan}/edits`, { op_id: pending.opId, base: pending.base, edit: pending.edit });
  }

  preview(base: number, edit: EditDocument): Promise<EditAnswer> {
    return this.#send<EditAnswer>(`${this.#plan}/preview`, { base, edit }, "POST", PREVIEW_MS);
  }

  /** Say where one points, and learn where others do. */
  async point(cursor: Cursor): Promise<readonly Other[]> {
    return (await this.#send<{ others: readonly Other[] }>(`${this.#plan}/presence`, cursor)).others;
  }

  listen(heard: Heard): void {
    this.#hearing.push(heard);
  }

  tell(edits: readonly EditInfo[], own: boolean): void {
    if (edits.length > 0) for (const heard of this.#hearing) heard(edits, own);
  }

  undo(way: "undo" | "redo", opId: string, base: number): Promise<EditAnswer> {
    return this.#send<EditAnswer>(`${this.#plan}/${way}`, { op_id: opId, base });
  }

  /** Ask for what one part of the page alone knows: a path below the plan, or with a slash below the interface. */
  asked<T>(path: string, body?: unknown, method = "POST"): Promise<T> {
    return body === undefined ? this.#json<T>(this.#at(path)) : this.#send<T>(this.#at(path), body, method);
  }

  async bytes(path: string): Promise<ArrayBuffer> {
    return (await this.#ask(this.#at(path))).arrayBuffer();
  }

  #at(path: string): string {
    return path.startsWith("/") ? `${this.#root}${path}` : `${this.#plan}/${path}`;
  }

  async #json<T>(url: string): Promise<T> {
    return (await (await this.#ask(url)).json()) as T;
  }

  async #send<T>(url: string, body: unknown, method = "POST", limit = TIMEOUT_MS): Promise<T> {
    const said = { method, headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
    const answer = await this.#ask(url, said, limit);
    return (await answer.json()) as T;
  }

  async #ask(url: string, init: RequestInit = {}, limit = TIMEOUT_MS): Promise<Response> {
    let answer: Response;
    try {
      answer = await fetch(url, { ...init, signal: AbortSignal.timeout(limit) });
    } catch (error) {
      throw new Offline(String(error));
    }
    if (answer.ok) return answer;
    // A service that starts anew behind a proxy is away, not broken.
    if (answer.status === 502 || answer.status === 503 || answer.status === 504) throw new Offline(`HTTP ${answer.status}`);
    throw new ApiError(answer.status, (await answer.json().catch(() => ({}))) as Partial<Problem>);
  }
}

/** Read a change as the service writes it. */
export function readChange(document: ChangeDocument): Change {
  const cells = Int32Array.from(document.cells ?? []);
  const side = (values: readonly (number | null)[] | undefined): Int32Array =>
    Int32Array.from(values ?? [], (value) => value ?? UNASSIGNED);
  const pins = (document.pins ?? []).map((cell, k) => [cell, document.pinned?.[k] === true] as const);
  const divided = (document.divisions ?? []).length > 0;
  return { moves: { cells, before: side(document.before), after: side(document.after) }, grids: document.grids ?? [], pins, divided };
}

/** The service as the queue of strokes sees it. */
export class Wire {
  readonly #api: EditorApi;
  readonly #sent = new Set<string>();

  constructor(api: EditorApi) {
    this.#api = api;
  }

  async send(pending: Pending): Promise<Answer> {
    this.#sent.add(pending.opId);
    try {
      const way = pending.edit.kind;
      const made = way === "undo" || way === "redo" ? await this.#api.undo(way, pending.opId, pending.base) : await this.#api.edit(pending);
      this.#api.tell([{ ...made.edit, change: made.change }], true);
      return { ok: true, revision: made.revision, change: readChange(made.change) };
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const kind = error.code === "edit-conflict" ? "conflict" : "refused";
      return { ok: false, kind, message: error.message, objects: (error.where.objects ?? []).map((one) => ({ ...one, user: one.user.name })) };
    }
  }

  async since(revision: number): Promise<readonly Confirmed[]> {
    const edits = await this.#api.log(revision);
    this.#api.tell(edits.filter(({ op_id }) => !this.#sent.has(op_id)), false);
    return edits.map((edit) => ({ revision: edit.revision, change: readChange(edit.change ?? {}) }));
  }
}
