import { t } from "../shared/i18n";
import { freshId } from "../shared/ids";
import { ApiError, type EditAnswer, type EditorApi, type PlanInfo, readChange } from "./api";
import type { Colours } from "./model/colours";
import type { Places } from "./model/places";
import { type GridEdit, type Moves, type PlanModel, type Touched, UNASSIGNED } from "./model/plan";
import { type Barred, allowed, wholeCompounds } from "./model/reach";
import { bestPartner } from "./model/suggest";
import { type Change, type Conflict, type EditDocument, Offline, type Sync, joined } from "./model/sync";
import type { EditorMap } from "./map/map";
import type { Painter } from "./paint";
import { mayChange, whyReadOnly } from "./reading";
import type { Store } from "./store";

const NO_MOVES: Moves = { cells: new Int32Array(0), before: new Int32Array(0), after: new Int32Array(0) };

/** What tools and panels work with. */
export interface Parts {
  readonly api: EditorApi;
  readonly plan: PlanModel;
  readonly places: Places;
  readonly colours: Colours;
  readonly map: EditorMap;
  readonly painter: Painter;
  readonly store: Store;
  readonly sync: Sync;
  readonly info: PlanInfo;
}

/** One planner at work on one plan: turns strokes and commands into edits. */
export class Session implements Parts {
  readonly api: EditorApi;
  readonly plan: PlanModel;
  readonly places: Places;
  readonly colours: Colours;
  readonly map: EditorMap;
  readonly painter: Painter;
  readonly store: Store;
  readonly sync: Sync;
  readonly info: PlanInfo;
  #tried: Change | null = null;
  /** Whether the stroke on its way is off the plan, while that changes. */
  #lifted = false;
  #clashed: (conflict: Conflict) => void = () => undefined;
  #asked = 0;
  /** When the step of a stroke began. */
  #began: number | null = null;

  constructor(parts: Parts) {
    this.api = parts.api;
    this.plan = parts.plan;
    this.places = parts.places;
    this.colours = parts.colours;
    this.map = parts.map;
    this.painter = parts.painter;
    this.store = parts.store;
    this.sync = parts.sync;
    this.info = parts.info;
  }

  /** Whether a stroke is on its way: changes of others wait for its end. */
  get trying(): boolean {
    return this.#tried !== null;
  }

  /** Grids that the stroke on its way gives to or takes from, the gaining one first. */
  tryingGrids(): number[] {
    const moves = this.#tried?.moves;
    if (moves === undefined) return [];
    return [...new Set([...moves.after, ...moves.before])].filter((grid) => grid !== UNASSIGNED);
  }

  /** What the stroke on its way adds to the load of a grid. */
  tryingGain(grid: number): number {
    const { cells, before, after } = this.#tried?.moves ?? NO_MOVES;
    let gain = 0;
    cells.forEach((cell, k) => {
      const load = this.plan.load[cell] ?? 0;
      if (after[k] === grid) gain += load;
      if (before[k] === grid) gain -= load;
    });
    return gain;
  }

  /** Cells a stroke would put into a grid: whole compounds unless single buildings are asked for. */
  wanted(cells: Iterable<number>, grid: number, single: boolean): readonly number[] {
    this.#began = performance.now();
    const all = single ? cells : wholeCompounds(this.plan, cells);
    const { cells: free, barred } = allowed(this.plan, all, grid);
    if (barred.size > 0) this.#say(barred);
    return free;
  }

  /** Show a stroke with its figures as if it were made; another call replaces it. */
  try(cells: readonly number[], grid: number): void {
    const start = this.#began ?? performance.now();
    this.#began = null;
    this.#dropProposal();
    const before = this.#tried;
    // A stroke that only grew needs no more than what it grew by.
    const wanted = new Set(cells);
    const grew = before !== null && before.grids.length === 0 && before.moves.after[0] === grid && before.moves.cells.every((cell) => wanted.has(cell));
    const back = grew || before === null ? [] : [this.#liftOff(before)];
    const more = this.plan.move(wanted, grid);
    if (more.cells.length > 0) {
      back.push(this.plan.apply(more));
      this.#tried = { moves: grew ? both(before.moves, more) : more, grids: [] };
    }
    if (back.length === 0) return;
    this.#shown(joined(back));
    // Whoever watches the page's timing sees what a step took; nothing is kept.
    performance.measure("step", { start, detail: more.cells.length });
    performance.clearMeasures("step");
  }

  /** Take back a stroke or a proposal that is on its way. */
  giveUp(): void {
    this.#asked += 1;
    this.#untry();
    if (this.store.now.proposal !== null) this.store.set({ proposal: null });
  }

  /** Make the stroke that is on its way. */
  finish(): void {
    const tried = this.#tried;
    if (tried === null) return;
    this.#untry();
    this.assign(Array.from(tried.moves.cells), tried.moves.after[0] ?? UNASSIGNED);
  }

  /** Have the service work an edit out, and show what it would do; nothing is made before it is accepted. */
  async propose(edit: EditDocument): Promise<void> {
    this.giveUp();
    if (!this.store.now.sync.online) {
      this.store.set({ hint: t("offline_needs") });
      return;
    }
    await this.sync.settled();
    const asked = this.#asked;
    this.store.set({ proposal: { edit, state: "asking", moved: 0 } });
    try {
      const change = this.#onto(readChange((await this.#preview(edit, asked)).change));
      if (asked !== this.#asked) return;
      this.#tried = change;
      this.#shown(this.plan.apply(change.moves, change.grids));
      const moved = change.moves.cells.reduce((sum, cell) => sum + (this.plan.ground.households[cell] ?? 0), 0);
      this.store.set({ proposal: { edit, state: "shown", moved } });
    } catch (error) {
      if (asked !== this.#asked) return;
      const text = error instanceof Offline ? t("offline_needs") : error instanceof ApiError ? error.message : null;
      this.store.set({ proposal: null, message: { kind: "warning", text: text ?? t("error") } });
      if (text === null) throw error;
    }
  }

  /** Ask for a preview; while the engine still reads the city, and the planner waits, ask again. */
  async #preview(edit: EditDocument, asked: number): Promise<EditAnswer> {
    for (;;) {
      try {
        return await this.api.preview(this.sync.revision, edit);
      } catch (error) {
        if (!(error instanceof ApiError) || error.code !== "plan-desk-building" || asked !== this.#asked) throw error;
      }
    }
  }

  /** Make what is proposed, exactly as it is shown. */
  accept(): void {
    const { proposal } = this.store.now;
    const tried = this.#tried;
    if (proposal?.state !== "shown" || tried === null) return;
    this.giveUp();
    this.#make(proposal.edit, tried.moves, tried.grids);
  }

  /** Put cells into a grid, or into none with -1. */
  assign(cells: readonly number[], grid: number): void {
    this.#dropProposal();
    const moves = this.plan.move(cells, grid);
    if (moves.cells.length === 0) return;
    const edit = { kind: "assign", cells: Array.from(moves.cells), grid: grid < 0 ? null : grid };
    this.#make(edit, moves, this.#emptied(moves));
  }

  /** Make a grid of cells; its number is a guess until the service confirms it. */
  create(cells: readonly number[]): number {
    const first = cells[0];
    if (first === undefined) return -1;
    this.#dropProposal();
    const id = Math.max(0, ...this.plan.grids.keys()) + 1;
    const moves = this.plan.move(cells, id);
    const community = this.plan.ground.community[first] as number;
    const place = this.plan.ground.communities[community];
    const code = `${place?.id ?? ""}-${String(id).padStart(3, "0")}`;
    const after = { id, community, code, name: t("new_grid"), locked: false, staff: 0, kind: "", note: "" };
    this.#make({ kind: "new-grid", cells: Array.from(moves.cells) }, moves, [{ id, before: null, after }, ...this.#emptied(moves)]);
    return id;
  }

  /** Send an edit that only the service can work out. */
  command(edit: EditDocument): void {
    if (!this.store.now.sync.online) {
      if (edit.kind !== "undo" || !this.#takeBack()) this.store.set({ hint: t("offline_needs") });
      return;
    }
    this.#make(edit, NO_MOVES, []);
  }

  /** Bring cells into view. */
  goTo(cells: readonly number[]): void {
    const spots = cells.map((cell) => this.places.of(cell));
    if (spots.length === 0) return;
    const [lons, lats] = [spots.map(([lon]) => lon), spots.map(([, lat]) => lat)];
    this.map.fit([Math.min(...lons), Math.min(...lats), Math.max(...lons), Math.max(...lats)]);
  }

  /** The neighbour that a grid would best be merged with. */
  partner(grid: number): number | null {
    return bestPartner(this.plan, grid);
  }

  nameOf(grid: number): string {
    return this.plan.grids.get(grid)?.name ?? String(grid);
  }

  /** Say who deals with strokes that met changes of others. */
  onClash(clashed: (conflict: Conflict) => void): void {
    this.#clashed = clashed;
  }

  /** Tell that the service did not make a stroke. */
  clash(conflict: Conflict): void {
    if (conflict.kind === "conflict") this.#clashed(conflict);
    else this.store.set({ message: { kind: "warning", text: conflict.message } });
  }

  /** Take the stroke that is on its way off the plan, which is about to change under it. */
  lift(): void {
    const tried = this.#tried;
    if (tried === null || this.#lifted) return;
    this.#lifted = true;
    this.painter.touched(this.plan.apply(tried.moves, tried.grids, true));
  }

  /** Tell that an edit, whoever made it, touched the plan; a stroke that was taken off goes back on. */
  shown(touched: Touched): void {
    const tried = this.#tried;
    if (this.#lifted && tried !== null) {
      const { cells, after } = tried.moves;
      const before = Int32Array.from(cells, (cell) => this.plan.assignment[cell] ?? UNASSIGNED);
      const grids = tried.grids.map((grid) => ({ ...grid, before: this.plan.grids.get(grid.id) ?? null }));
      this.#tried = { moves: { cells, before, after }, grids };
      this.painter.touched(this.plan.apply(this.#tried.moves, grids));
    }
    this.#lifted = false;
    this.#shown(touched);
  }

  /** Undo while the service is away: what it never heard of is simply not sent. */
  #takeBack(): boolean {
    this.giveUp();
    if (!this.sync.takeBack()) return false;
    const { grid, chosen } = this.store.now;
    const there = (id: number): boolean => this.plan.grids.has(id);
    this.store.set({ grid: grid !== null && there(grid) ? grid : null, chosen: new Set([...chosen].filter(there)), hint: t("undone_offline") });
    return true;
  }

  /** What was proposed is of a plan without what comes now. */
  #dropProposal(): void {
    if (this.store.now.proposal !== null) this.giveUp();
  }

  /** Return a change on cells as they are now: somebody may have moved some while it was worked out. */
  #onto(change: Change): Change {
    const { cells, after } = change.moves;
    const before = Int32Array.from(cells, (cell) => this.plan.assignment[cell] ?? UNASSIGNED);
    return { ...change, moves: { cells, before, after } };
  }

  #make(edit: EditDocument, moves: Moves, grids: readonly GridEdit[]): void {
    this.#dropProposal();
    if (!mayChange(this.info)) {
      this.store.set({ hint: whyReadOnly(this.info) });
      return;
    }
    const opId = freshId();
    this.#shown(this.sync.make({ opId, base: this.sync.revision, edit, change: { moves, grids } }));
  }

  /** Grids that moves leave without cells vanish with them. */
  #emptied(moves: Moves): GridEdit[] {
    const leaving = new Map<number, number>();
    for (const grid of moves.before) leaving.set(grid, (leaving.get(grid) ?? 0) + 1);
    return [...leaving].flatMap(([id, count]) => {
      const before = this.plan.grids.get(id);
      return before !== undefined && this.plan.figures(id).cells === count ? [{ id, before, after: null }] : [];
    });
  }

  #untry(): void {
    const tried = this.#tried;
    if (tried === null) return;
    this.#shown(this.#liftOff(tried));
  }

  #liftOff(tried: Change): Touched {
    this.#tried = null;
    return this.plan.apply(tried.moves, tried.grids, true);
  }

  #shown(touched: Touched): void {
    this.painter.touched(touched);
    this.store.set({ version: this.store.now.version + 1 });
  }

  #say(barred: ReadonlySet<Barred>): void {
    const [first] = barred;
    if (first !== undefined) this.store.set({ hint: t(`barred_${first}`) });
  }
}

/** Put moves of different cells together. */
function both(first: Moves, second: Moves): Moves {
  const of = (side: keyof Moves): Int32Array => Int32Array.from([...first[side], ...second[side]]);
  return { cells: of("cells"), before: of("before"), after: of("after") };
}
