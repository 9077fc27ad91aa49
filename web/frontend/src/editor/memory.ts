import { freshId } from "../shared/ids";
import type { GridEdit } from "./model/plan";
import { type EditDocument, type Pending } from "./model/sync";

interface Written {
  readonly opId: string;
  readonly base: number;
  readonly edit: EditDocument;
  readonly cells: readonly number[];
  readonly before: readonly number[];
  readonly after: readonly number[];
  readonly grids: readonly GridEdit[];
}

interface Kept {
  /** When the tab was last known to be open; 0 once it is closed. */
  readonly at: number;
  readonly strokes: readonly Written[];
}

const TAB = "wangge-tab";
/** A tab in the background is woken once a minute. */
const STALE_MS = 150_000;

const prefix = (plan: string): string => `wangge-plan-${plan}-`;

/** Keep strokes that wait, each tab its own, so that a closed page or a dead battery loses none. */
export function remember(plan: string, pending: readonly Pending[]): void {
  const strokes = pending.map(({ opId, base, edit, change: { moves, grids } }): Written => {
    return { opId, base, edit, cells: [...moves.cells], before: [...moves.before], after: [...moves.after], grids };
  });
  try {
    const key = prefix(plan) + tab();
    if (strokes.length === 0) window.localStorage.removeItem(key);
    else window.localStorage.setItem(key, JSON.stringify({ at: Date.now(), strokes } satisfies Kept));
  } catch {
    // A browser that keeps nothing still sends what waits while the page is open.
  }
}

/** Return the strokes that this tab could not send before it was loaded anew, and those of tabs that are closed. */
export function recall(plan: string): Pending[] {
  try {
    const own = prefix(plan) + tab();
    const keys = Object.keys(window.localStorage).filter((key) => key.startsWith(prefix(plan)));
    return keys.sort().flatMap((key) => {
      const kept = JSON.parse(window.localStorage.getItem(key) ?? "null") as Kept | null;
      if (kept === null || (key !== own && Date.now() - kept.at < STALE_MS)) return [];
      window.localStorage.removeItem(key);
      return kept.strokes.map(read);
    });
  } catch {
    return [];
  }
}

/** Tell other tabs, when this one is closed, that they may take up what it leaves. */
export function leave(plan: string): void {
  try {
    const key = prefix(plan) + tab();
    const kept = JSON.parse(window.localStorage.getItem(key) ?? "null") as Kept | null;
    if (kept !== null) window.localStorage.setItem(key, JSON.stringify({ ...kept, at: 0 }));
  } catch {
    // Nothing is kept, so there is nothing to leave.
  }
}

/** The id of this tab, the same after it is loaded anew. */
export function tab(): string {
  const known = window.sessionStorage.getItem(TAB);
  if (known !== null) return known;
  const made = freshId();
  window.sessionStorage.setItem(TAB, made);
  return made;
}

function read({ opId, base, edit, cells, before, after, grids }: Written): Pending {
  const moves = { cells: Int32Array.from(cells), before: Int32Array.from(before), after: Int32Array.from(after) };
  return { opId, base, edit, change: { moves, grids } };
}
