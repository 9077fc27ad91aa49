import type { GridEdit, Moves, PlanModel, Touched } from "./plan";

/** An edit as the service takes it. */
export type EditDocument = { readonly kind: string } & Readonly<Record<string, unknown>>;

/** What an edit did, as the service tells it. */
export interface Change {
  readonly moves: Moves;
  readonly grids: readonly GridEdit[];
  /** Cells locked or unlocked one by one. */
  readonly pins?: readonly (readonly [number, boolean])[];
  /** Whether cells were divided or put together again: the ground is another one then. */
  readonly divided?: boolean;
}

/** A stroke that is on its way: made here, not yet confirmed. */
export interface Pending {
  readonly opId: string;
  /** Revision that the planner saw when making it. */
  readonly base: number;
  readonly edit: EditDocument;
  /** What it did here at once; empty where only the service can tell. */
  readonly change: Change;
  /** Whether somebody else changed the same cells or grids meanwhile: the service decides what that means. */
  readonly contested?: boolean;
}

export interface Confirmed {
  readonly revision: number;
  readonly change: Change;
}

export interface Conflict {
  readonly pending: Pending;
  readonly message: string;
  readonly objects: readonly { type: string; id: number; revision: number; user: string }[];
  /** Whether the service refused it for good, or another planner was faster. */
  readonly kind: "conflict" | "refused";
}

/** How the service answers an edit; everything else is thrown and tried again. */
export type Answer = ({ readonly ok: true } & Confirmed) | ({ readonly ok: false } & Omit<Conflict, "pending">);

export interface Transport {
  /** Send an edit; throws an `Offline` when the service cannot be reached. */
  send(pending: Pending): Promise<Answer>;
  /** Changes of all planners after a revision, in order. */
  since(revision: number): Promise<readonly Confirmed[]>;
}

export class Offline extends Error {}

export interface Listener {
  /** The plan is about to change under a stroke that may be on its way; `touched` follows. */
  before?(): void;
  touched(touched: Touched): void;
  /** The ground changed; everything is to be read anew. */
  regrounded(): void;
  conflict(conflict: Conflict): void;
  state(state: SyncState): void;
}

export interface SyncState {
  readonly waiting: number;
  readonly online: boolean;
  readonly revision: number;
}

const RETRY_MS = [500, 1000, 2000, 4000, 8000];

/**
 * Keeps what is seen in step with the service: strokes count at once, are sent one by one, and are laid anew over
 * whatever other planners did in between. Nothing is lost while the service is away.
 */
export class Sync {
  readonly #model: PlanModel;
  readonly #transport: Transport;
  readonly #listener: Listener;
  readonly #keep: (pending: readonly Pending[]) => void;
  #pending: Pending[] = [];
  /** Strokes of this page that the service cannot have heard of: nothing was sent for them yet. */
  readonly #unsent = new Set<string>();
  #revision: number;
  #online = true;
  #sending: Promise<void> | null = null;
  #failures = 0;

  constructor(
    model: PlanModel,
    revision: number,
    parts: { transport: Transport; listener: Listener; keep: (pending: readonly Pending[]) => void },
  ) {
    this.#model = model;
    this.#revision = revision;
    this.#transport = parts.transport;
    this.#listener = parts.listener;
    this.#keep = parts.keep;
  }

  get revision(): number {
    return this.#revision;
  }

  get state(): SyncState {
    return { waiting: this.#pending.length, online: this.#online, revision: this.#revision };
  }

  /** Take up strokes that an earlier page could not send. */
  resume(pending: readonly Pending[]): void {
    // The plan may have moved on since: a stroke takes cells from where they are now.
    for (const one of pending) this.make(this.#onto(one));
    // An earlier page may have sent them without hearing the answer.
    this.#unsent.clear();
  }

  /** Make a stroke: at once here, then at the service. */
  make(pending: Pending): Touched {
    const touched = this.#carry(pending.change);
    this.#pending = [...this.#pending, pending];
    this.#unsent.add(pending.opId);
    // On its way first: the service works while the page draws.
    this.flush();
    this.#told(touched);
    return touched;
  }

  /** Take back the last stroke if it waits and was never sent; tells whether it did. */
  takeBack(): boolean {
    const last = this.#pending.at(-1);
    if (last === undefined || !this.#unsent.delete(last.opId)) return false;
    const touched = this.#carry(last.change, true);
    this.#pending = this.#pending.slice(0, -1);
    this.#told(touched);
    return true;
  }

  /** Send what waits, unless that is going on. */
  flush(): void {
    this.#sending ??= this.#send().finally(() => (this.#sending = null));
  }

  /** Wait until nothing is on its way, or the service is away. */
  async settled(): Promise<void> {
    while (this.#sending !== null) await this.#sending;
  }

  /** Ask for the changes of others. */
  async pull(): Promise<void> {
    if (this.#sending !== null) return;
    try {
      const news = await this.#transport.since(this.#revision);
      this.#reached(true);
      if (this.#sending === null) this.receive(news);
    } catch (error) {
      if (!(error instanceof Offline)) throw error;
      this.#reached(false);
    }
  }

  /** Lay confirmed changes under the strokes that wait. */
  receive(news: readonly Confirmed[]): void {
    const fresh = news.filter(({ revision }) => revision > this.#revision);
    if (fresh.length === 0) return;
    this.#listener.before?.();
    const seen = this.#withdraw();
    this.#underlay(fresh, seen);
    this.#told(this.#layAnew(seen));
  }

  /** Carry out what others did, and mark the strokes that it concerns. */
  #underlay(news: readonly Confirmed[], seen: Touched[]): void {
    for (const { revision, change } of news) {
      seen.push(this.#carry(change));
      this.#revision = revision;
      this.#pending = this.#pending.map((one) => (meet(one.change, change) ? { ...one, contested: true } : one));
    }
  }

  async #send(): Promise<void> {
    let first = this.#pending[0];
    while (first !== undefined) {
      const answer = await this.#answered(first);
      if (answer === null) return;
      await this.#settle(first, answer);
      first = this.#pending[0];
    }
  }

  async #answered(pending: Pending): Promise<Answer | null> {
    this.#unsent.delete(pending.opId);
    try {
      const answer = await this.#transport.send(pending);
      this.#failures = 0;
      this.#reached(true);
      return answer;
    } catch (error) {
      if (!(error instanceof Offline)) throw error;
      this.#reached(false);
      const wait = RETRY_MS[Math.min(this.#failures, RETRY_MS.length - 1)] ?? 8000;
      this.#failures += 1;
      setTimeout(() => this.flush(), wait);
      return null;
    }
  }

  async #settle(pending: Pending, answer: Answer): Promise<void> {
    // Changes of others may have come before it: they go under it.
    const between = answer.ok ? await this.#between(answer.revision) : await this.#between(Infinity);
    if (between === null) return;
    this.#listener.before?.();
    const seen = this.#withdraw();
    this.#pending = this.#pending.filter((one) => one.opId !== pending.opId);
    this.#underlay(between, seen);
    if (answer.ok && answer.revision > this.#revision) {
      seen.push(this.#carry(answer.change));
      this.#revision = answer.revision;
      this.#pending = renamed(this.#pending, pending.change, answer.change);
      // The next strokes were made in sight of this one, so it cannot stand against them.
      this.#pending = this.#pending.map((one) => (one.contested ? one : { ...one, base: answer.revision }));
    }
    this.#told(this.#layAnew(seen));
    if (!answer.ok) this.#listener.conflict({ ...answer, pending });
  }

  async #between(revision: number): Promise<readonly Confirmed[] | null> {
    if (revision === this.#revision + 1) return [];
    try {
      const news = await this.#transport.since(this.#revision);
      return news.filter((one) => one.revision < revision && one.revision > this.#revision);
    } catch (error) {
      if (!(error instanceof Offline)) throw error;
      // Sent once more later: the service knows the stroke by its id and answers as it did now.
      this.#reached(false);
      setTimeout(() => this.flush(), RETRY_MS[0]);
      return null;
    }
  }

  #withdraw(): Touched[] {
    return this.#pending.toReversed().map(({ change }) => this.#carry(change, true));
  }

  /** Put the waiting strokes back, on cells as they are now. */
  #layAnew(seen: Touched[]): Touched {
    this.#pending = this.#pending.map((one) => {
      const again = this.#onto(one);
      seen.push(this.#carry(again.change));
      return again;
    });
    return joined(seen);
  }

  /** Return a stroke as it would be on the plan as it is now. */
  #onto(one: Pending): Pending {
    const { cells, after } = one.change.moves;
    const before = Int32Array.from(cells, (cell) => this.#model.assignment[cell] as number);
    const grids = one.change.grids.map((grid) => ({ ...grid, before: this.#model.grids.get(grid.id) ?? null }));
    return { ...one, change: { ...one.change, moves: { cells, before, after }, grids } };
  }

  /** Carry out a change, or take it back. A divided cell is beyond the model: the page is told to begin anew. */
  #carry(change: Change, back = false): Touched {
    if (change.divided === true) {
      this.#listener.regrounded();
      return { cells: [], edges: [], grids: new Set() };
    }
    for (const [cell, pinned] of change.pins ?? []) this.#model.pinned[cell] = pinned === back ? 0 : 1;
    const touched = this.#model.apply(change.moves, change.grids, back);
    return { ...touched, cells: [...touched.cells, ...(change.pins ?? []).map(([cell]) => cell)] };
  }

  #reached(online: boolean): void {
    if (online === this.#online) return;
    this.#online = online;
    this.#listener.state(this.state);
  }

  #told(touched: Touched): void {
    this.#keep(this.#pending);
    this.#listener.state(this.state);
    this.#listener.touched(touched);
  }
}

/** Everything that any of several changes touched. */
export function joined(parts: readonly Touched[]): Touched {
  const cells = new Set(parts.flatMap((part) => [...part.cells]));
  const edges = new Set(parts.flatMap((part) => [...part.edges]));
  const grids = new Set(parts.flatMap((part) => [...part.grids]));
  return { cells: [...cells], edges: [...edges], grids };
}

/** Later strokes may name a new grid by the number it had here: the service gave it its own. */
function renamed(pending: readonly Pending[], guess: Change, truth: Change): Pending[] {
  const guessed = born(guess);
  const given = born(truth);
  if (guessed === null || given === null || guessed === given) return [...pending];
  const swap = (id: number): number => (id === guessed ? given : id);
  return pending.map((one) => ({
    ...one,
    edit: one.edit["grid"] === guessed ? { ...one.edit, grid: given } : one.edit,
    change: {
      ...one.change,
      moves: { ...one.change.moves, after: one.change.moves.after.map(swap) },
      grids: one.change.grids.map((grid) => ({ ...grid, id: swap(grid.id), after: grid.after && { ...grid.after, id: swap(grid.after.id) } })),
    },
  }));
}

/** Whether two changes concern the same cell or the same grid's record. */
export function meet(a: Change, b: Change): boolean {
  const cells = new Set(a.moves.cells);
  if (b.moves.cells.some((cell) => cells.has(cell))) return true;
  const grids = new Set([...a.grids.map(({ id }) => id), ...a.moves.after]);
  return b.grids.some(({ id }) => grids.has(id));
}

function born(change: Change): number | null {
  return change.grids.find((grid) => grid.before === null && grid.after !== null)?.id ?? null;
}
