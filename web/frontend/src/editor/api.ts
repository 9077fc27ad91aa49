import { UNASSIGNED, type GridEdit, type GridRecord } from "./model/plan";
import { type Answer, type Change, type Confirmed, type EditDocument, Offline, type Pending } from "./model/sync";
import { either } from "../shared/i18n";
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

export interface EditAnswer {
  readonly revision: number;
  readonly edit: EditInfo;
  readonly change: ChangeDocument;
}

interface Problem {
  readonly code: string;
  readonly detail_zh: string;
  readonly detail_en: string;
  readonly where: { readonly objects?: readonly { type: string; id: number; revision: number; user: string }[] };
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

/** The service as the editor needs it. */
export class EditorApi {
  readonly #plan: string;
  readonly #root: string;

  constructor(root: string, plan: string) {
    this.#root = root;
    this.#plan = `${root}/plans/${plan}`;
  }

  tilesUrl(dataset: string): string {
    return `${this.#root}/datasets/${dataset}/tiles`;
  }

  info(): Promise<PlanInfo> {
    return this.#json<PlanInfo>(this.#plan);
  }

  async tiles(dataset: string): Promise<TileSet> {
    return this.#json<TileSet>(`${this.tilesUrl(dataset)}/tiles.json`);
  }

  async ground(dataset: string): Promise<ArrayBuffer> {
    return (await this.#ask(`${this.#root}/datasets/${dataset}/ground`)).arrayBuffer();
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
    return (await this.#json<{ grids: readonly GridRecord[] }>(`${this.#plan}/grids`)).grids;
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
    return this.#send<EditAnswer>(`${this.#plan}/preview`, { base, edit });
  }

  undo(way: "undo" | "redo", opId: string, base: number): Promise<EditAnswer> {
    return this.#send<EditAnswer>(`${this.#plan}/${way}`, { op_id: opId, base });
  }

  async #json<T>(url: string): Promise<T> {
    return (await (await this.#ask(url)).json()) as T;
  }

  async #send<T>(url: string, body: unknown): Promise<T> {
    const answer = await this.#ask(url, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    return (await answer.json()) as T;
  }

  async #ask(url: string, init: RequestInit = {}): Promise<Response> {
    let answer: Response;
    try {
      answer = await fetch(url, { ...init, signal: AbortSignal.timeout(TIMEOUT_MS) });
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

  constructor(api: EditorApi) {
    this.#api = api;
  }

  async send(pending: Pending): Promise<Answer> {
    try {
      const way = pending.edit.kind;
      const made = way === "undo" || way === "redo" ? await this.#api.undo(way, pending.opId, pending.base) : await this.#api.edit(pending);
      return { ok: true, revision: made.revision, change: readChange(made.change) };
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const kind = error.code === "edit-conflict" ? "conflict" : "refused";
      return { ok: false, kind, message: error.message, objects: error.where.objects ?? [] };
    }
  }

  async since(revision: number): Promise<readonly Confirmed[]> {
    const edits = await this.#api.log(revision);
    return edits.map((edit) => ({ revision: edit.revision, change: readChange(edit.change ?? {}) }));
  }
}
