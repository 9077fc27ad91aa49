// The queue of strokes: whatever the network does and whoever else edits, the page ends where the service is.
import { describe, expect, it } from "vitest";
import { readGround } from "./ground";
import { PlanModel, UNASSIGNED } from "./plan";
import { type Answer, type Change, type Confirmed, type Conflict, Offline, type Pending, Sync, type Transport } from "./sync";
import { lattice, record } from "./lattice.fixture";

const BAND = { measure: "households", target: 8, min: 4, max: 12 } as const;

function model(): PlanModel {
  const ground = readGround(lattice(4, 4));
  return new PlanModel(ground, BAND, ground.households, new Int32Array(16).fill(1), [record(1), record(2)]);
}

function assign(plan: PlanModel, cells: number[], to: number): Change {
  return { moves: plan.move(cells, to), grids: [] };
}

/** A service in memory: takes edits in order, refuses a stroke on cells that somebody else changed since its base. */
class Server implements Transport {
  readonly plan = model();
  readonly log: (Confirmed & { cells: ReadonlySet<number>; own: boolean })[] = [];
  readonly seen = new Map<string, Answer>();
  away = 0;
  /** The service commits, but its answer is lost on the way. */
  deaf = 0;

  commit(cells: number[], to: number, own: boolean): Confirmed {
    const change = assign(this.plan, cells, to);
    this.plan.apply(change.moves);
    const made = { revision: this.log.length + 1, change, cells: new Set(cells), own };
    this.log.push(made);
    return made;
  }

  send(pending: Pending): Promise<Answer> {
    if (this.away-- > 0) return Promise.reject(new Offline());
    const known = this.seen.get(pending.opId);
    const answer = known ?? this.#answer(pending);
    this.seen.set(pending.opId, answer);
    if (this.deaf-- > 0) return Promise.reject(new Offline());
    return Promise.resolve(answer);
  }

  #answer(pending: Pending): Answer {
    const cells = pending.edit["cells"] as number[];
    const later = this.log.filter((one) => one.revision > pending.base && cells.some((cell) => one.cells.has(cell)));
    if (later.length > 0) {
      const objects = later.map((one) => ({ type: "cell", id: cells[0] as number, revision: one.revision, user: "b" }));
      return { ok: false, kind: "conflict", message: "taken", objects };
    }
    return { ok: true, ...this.commit(cells, pending.edit["grid"] as number, true) };
  }

  since(revision: number): Promise<readonly Confirmed[]> {
    if (this.away-- > 0) return Promise.reject(new Offline());
    return Promise.resolve(this.log.filter((one) => one.revision > revision));
  }
}

function page(server: Server): { plan: PlanModel; sync: Sync; conflicts: Conflict[]; kept: (readonly Pending[])[]; stroke: (cells: number[], to: number) => void } {
  const plan = model();
  const conflicts: Conflict[] = [];
  const kept: (readonly Pending[])[] = [];
  const listener = { touched: () => undefined, regrounded: () => undefined, state: () => undefined, conflict: (one: Conflict) => void conflicts.push(one) };
  const sync = new Sync(plan, 0, { transport: server, listener, keep: (pending) => void kept.push(pending) });
  let number = 0;
  const stroke = (cells: number[], to: number): void => {
    number += 1;
    sync.make({ opId: `op${number}`, base: sync.revision, edit: { kind: "assign", cells, grid: to }, change: assign(plan, cells, to) });
  };
  return { plan, sync, conflicts, kept, stroke };
}

async function quiet(sync: Sync): Promise<void> {
  for (let round = 0; round < 40 && sync.state.waiting > 0; round += 1) {
    await new Promise((resolve) => setTimeout(resolve, 60));
    sync.flush();
    await sync.settled();
  }
}

describe("sync", () => {
  it("counts a stroke at once and has it confirmed", async () => {
    const server = new Server();
    const { plan, sync, stroke } = page(server);
    stroke([0, 1], 2);
    expect(plan.figures(2).cells).toBe(2);
    await quiet(sync);
    expect(sync.state).toEqual({ waiting: 0, online: true, revision: 1 });
    expect(server.plan.assignment).toEqual(plan.assignment);
  });

  it("lets strokes on the same cells follow each other without a conflict", async () => {
    const server = new Server();
    const { plan, sync, conflicts, stroke } = page(server);
    stroke([0, 1], 2);
    stroke([1], 1);
    stroke([1, 2], 2);
    await quiet(sync);
    expect(conflicts).toEqual([]);
    expect(server.plan.assignment).toEqual(plan.assignment);
    expect(plan.figures(2).cells).toBe(3);
  });

  it("takes back strokes that were never sent, and no other", async () => {
    const server = new Server();
    const { plan, sync, kept, stroke } = page(server);
    server.away = 1;
    stroke([0], 2);
    stroke([1], 2);
    stroke([2], 2);
    await sync.settled();
    expect(sync.takeBack()).toBe(true);
    expect(sync.takeBack()).toBe(true);
    expect(plan.figures(2).cells).toBe(1);
    expect(kept.at(-1)?.map(({ opId }) => opId)).toEqual(["op1"]);
    expect(sync.takeBack(), "the first one may have arrived").toBe(false);
    await quiet(sync);
    expect(sync.takeBack(), "nothing waits").toBe(false);
    expect(server.log.length).toBe(1);
    expect(server.plan.assignment).toEqual(plan.assignment);
  });

  it("does not take back what an earlier page may have sent", () => {
    const server = new Server();
    const { plan, sync } = page(server);
    server.away = 9;
    const change = assign(plan, [3], 2);
    sync.resume([{ opId: "old1", base: 0, edit: { kind: "assign", cells: [3], grid: 2 }, change }, { opId: "old2", base: 0, edit: { kind: "assign", cells: [4], grid: 2 }, change: assign(plan, [4], 2) }]);
    expect(sync.takeBack()).toBe(false);
    expect(sync.state.waiting).toBe(2);
  });

  it("lays waiting strokes over what others did elsewhere", async () => {
    const server = new Server();
    const { plan, sync, conflicts, stroke } = page(server);
    server.commit([15], 2, false);
    stroke([0], 2);
    await quiet(sync);
    expect(conflicts).toEqual([]);
    expect(plan.assignment[15]).toBe(2);
    expect(server.plan.assignment).toEqual(plan.assignment);
  });

  it("gives up a stroke on cells that somebody else changed first, and says so", async () => {
    const server = new Server();
    const { plan, sync, conflicts, stroke } = page(server);
    server.commit([0], UNASSIGNED, false);
    stroke([0, 1], 2);
    stroke([9], 2);
    await quiet(sync);
    expect(conflicts.map((one) => one.objects[0]?.id)).toEqual([0]);
    expect(plan.assignment[0]).toBe(UNASSIGNED);
    expect(plan.assignment[1]).toBe(1);
    expect(plan.assignment[9]).toBe(2);
    expect(server.plan.assignment).toEqual(plan.assignment);
  });

  it("keeps strokes while the service is away, and sends each once", async () => {
    const server = new Server();
    const { plan, sync, kept, stroke } = page(server);
    server.away = 2;
    stroke([0], 2);
    stroke([1], 2);
    await sync.settled();
    expect(sync.state.online).toBe(false);
    expect(kept.at(-1)?.length).toBe(2);
    await quiet(sync);
    expect(sync.state.online).toBe(true);
    expect(server.log.length).toBe(2);
    expect(server.plan.assignment).toEqual(plan.assignment);
  });

  it("takes up strokes of an earlier page, also one that had arrived", async () => {
    const server = new Server();
    const first = page(server);
    server.deaf = 1;
    first.stroke([0, 1], 2);
    await first.sync.settled();
    const kept = first.kept.at(-1) ?? [];
    expect(kept.length).toBe(1);
    server.commit([1], 1, false);
    // The page is opened again: it begins at the head, with what was kept.
    const plan = model();
    plan.apply(plan.move([0], 2));
    const listener = { touched: () => undefined, regrounded: () => undefined, state: () => undefined, conflict: () => undefined };
    const sync = new Sync(plan, 2, { transport: server, listener, keep: () => undefined });
    sync.resume(kept);
    await quiet(sync);
    expect(server.log.length).toBe(2);
    expect(plan.assignment).toEqual(server.plan.assignment);
    expect(plan.figures(2)).toEqual(server.plan.figures(2));
  });

  it("is not confused when an answer is lost", async () => {
    const server = new Server();
    const { plan, sync, stroke } = page(server);
    server.deaf = 1;
    stroke([0], 2);
    stroke([0, 1], 2);
    await quiet(sync);
    expect(server.log.length).toBe(2);
    expect(server.plan.assignment).toEqual(plan.assignment);
    expect(sync.revision).toBe(2);
  });

  it("ends where the service is after two planners' random strokes", async () => {
    let seed = 7;
    const random = (below: number): number => {
      seed = (seed * 1103515245 + 12345) % 2147483648;
      return Math.floor((seed / 2147483648) * below);
    };
    const server = new Server();
    const { plan, sync, stroke } = page(server);
    for (let round = 0; round < 120; round += 1) {
      const cells = [random(16), random(16)].filter((cell, k, all) => all.indexOf(cell) === k);
      const to = 1 + random(2);
      if (random(3) === 0) server.commit(cells, to, false);
      else if (plan.move(cells, to).cells.length > 0) stroke(cells, to);
      if (random(6) === 0) server.away = 1;
      if (random(4) === 0) await sync.pull();
    }
    await quiet(sync);
    await sync.pull();
    expect(plan.assignment).toEqual(server.plan.assignment);
    for (const grid of [1, 2]) expect(plan.figures(grid)).toEqual(server.plan.figures(grid));
  });
});
