import { type EditDocument, type Pending } from "./model/sync";

interface Written {
  readonly opId: string;
  readonly base: number;
  readonly edit: EditDocument;
  readonly cells: readonly number[];
  readonly before: readonly number[];
  readonly after: readonly number[];
}

const key = (plan: string): string => `wangge-plan-${plan}`;

/** Keep strokes that wait, so that a closed page or a dead battery loses none. */
export function remember(plan: string, pending: readonly Pending[]): void {
  const written = pending.map(({ opId, base, edit, change: { moves } }): Written => {
    return { opId, base, edit, cells: [...moves.cells], before: [...moves.before], after: [...moves.after] };
  });
  try {
    if (written.length === 0) window.localStorage.removeItem(key(plan));
    else window.localStorage.setItem(key(plan), JSON.stringify(written));
  } catch {
    // A browser that keeps nothing still sends what waits while the page is open.
  }
}

/** Return the strokes that an earlier page could not send. */
export function recall(plan: string): Pending[] {
  let written: readonly Written[];
  try {
    written = JSON.parse(window.localStorage.getItem(key(plan)) ?? "[]") as readonly Written[];
  } catch {
    return [];
  }
  return written.map(({ opId, base, edit, cells, before, after }) => {
    const moves = { cells: Int32Array.from(cells), before: Int32Array.from(before), after: Int32Array.from(after) };
    return { opId, base, edit, change: { moves, grids: [] } };
  });
}
