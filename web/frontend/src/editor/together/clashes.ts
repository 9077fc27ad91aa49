import type { Conflict } from "../model/sync";
import { type PlanModel, UNASSIGNED } from "../model/plan";
import type { Session } from "../session";

/** What a planner and somebody else both changed. */
export interface Clash {
  readonly key: string;
  readonly type: "cell" | "grid" | "edit";
  /** Cell or grid; -1 for an edit that is only one thing as a whole. */
  readonly id: number;
  readonly cells: readonly number[];
  /** Grid that the planner's stroke put the cells into; null when it did something else. */
  readonly mine: number | null;
  /** What the planner's edit was, for an edit as a whole. */
  readonly kind: string;
  readonly user: string;
  readonly revision: number;
  readonly decided: "theirs" | "mine" | null;
}

/** Strokes that met changes of others. What others did stands, until the planner says otherwise for one object. */
export class Clashes {
  readonly #session: Session;
  readonly #changed: () => void;
  #all: Clash[] = [];
  readonly #edits = new Map<string, Conflict>();

  constructor(session: Session, changed: () => void) {
    this.#session = session;
    this.#changed = changed;
  }

  get all(): readonly Clash[] {
    return this.#all;
  }

  /** Take a stroke that the service did not make; what of it nobody else touched is made at once. */
  add(conflict: Conflict): void {
    const { edit, opId } = conflict.pending;
    this.#edits.set(opId, conflict);
    const fresh = edit.kind === "assign" ? this.#cellByCell(conflict) : [this.#whole(conflict)];
    this.#all = [...this.#all, ...fresh];
    this.#changed();
  }

  /** Leave an object as the other made it: nothing to do but to say so. */
  keep(clash: Clash): void {
    this.#decide(clash, "theirs");
  }

  /** Make the planner's change of one object again, on the plan as it is now. */
  again(clash: Clash): void {
    if (!this.possible(clash)) return;
    this.#decide(clash, "mine");
    if (clash.type !== "edit") this.#session.assign(clash.cells, clash.mine ?? UNASSIGNED);
    else this.#repeat(clash);
  }

  /** Whether the planner's change can still be made: its grid is there and not locked. */
  possible(clash: Clash): boolean {
    if (clash.type === "edit") return clash.kind !== "undo" && clash.kind !== "redo";
    if (clash.mine === null || clash.mine === UNASSIGNED) return true;
    return this.#session.plan.grids.get(clash.mine)?.locked === false;
  }

  /** Forget what is decided; what is not stays as the others made it. */
  close(): void {
    this.#all = [];
    this.#edits.clear();
    this.#changed();
  }

  #cellByCell({ pending, objects }: Conflict): Clash[] {
    const { plan } = this.#session;
    const grid = (pending.edit["grid"] as number | null | undefined) ?? UNASSIGNED;
    const cells = [...((pending.edit["cells"] as readonly number[] | undefined) ?? [])];
    const touched = new Map(objects.filter(({ type }) => type === "cell").map((one) => [one.id, one]));
    const rest = cells.filter((cell) => !touched.has(cell));
    const other = objects.find(({ type }) => type !== "cell");
    const base = { mine: grid, kind: "assign", decided: null } as const;
    const clashes: Clash[] = [...touched.values()]
      .filter(({ id }) => plan.assignment[id] !== grid)
      .map(({ id, user, revision }) => ({ ...base, key: `${pending.opId}:cell:${id}`, type: "cell", id, cells: [id], user, revision }));
    if (other !== undefined && rest.length > 0) {
      clashes.push({ ...base, key: `${pending.opId}:grid:${other.id}`, type: "grid", id: other.id, cells: rest, user: other.user, revision: other.revision });
    } else this.#session.assign(rest, grid);
    return clashes;
  }

  #whole({ pending, objects }: Conflict): Clash {
    const last = objects.toSorted((a, b) => a.revision - b.revision).at(-1);
    const cells = objects.filter(({ type }) => type === "cell").map(({ id }) => id);
    const { opId, edit } = pending;
    return { key: `${opId}:edit`, type: "edit", id: -1, cells, mine: null, kind: edit.kind, user: last?.user ?? "", revision: last?.revision ?? 0, decided: null };
  }

  #repeat(clash: Clash): void {
    const edit = this.#edits.get(clash.key.split(":")[0] ?? "")?.pending.edit;
    if (edit === undefined) return;
    if (edit.kind === "new-grid") this.#session.create(alive(this.#session.plan, edit["cells"] as readonly number[]));
    else this.#session.command(edit);
  }

  #decide(clash: Clash, decided: "theirs" | "mine"): void {
    this.#all = this.#all.map((one) => (one.key === clash.key ? { ...one, decided } : one));
    this.#changed();
  }
}

function alive({ assignment }: PlanModel, cells: readonly number[]): number[] {
  return cells.filter((cell) => cell < assignment.length);
}
