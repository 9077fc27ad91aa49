import type { LonLat } from "../model/places";
import type { Session } from "../session";

/** A pointer on the map. */
export interface Spot {
  readonly at: LonLat;
  readonly point: { readonly x: number; readonly y: number };
  /** The cell under it; null beside the city. */
  readonly cell: number | null;
  /** Whether the planner asks for the single building (Alt), or to add to what is chosen (Shift). */
  readonly single: boolean;
  readonly more: boolean;
}

/** One way to work on the map. It keeps what it needs for one stroke and nothing else. */
export interface Tool {
  /** Name of the cursor, a class of the map's frame. */
  readonly cursor: string;
  press?(spot: Spot): void;
  drag?(spot: Spot): void;
  release?(spot: Spot): void;
  /** A press and release in one place. */
  click?(spot: Spot): void;
  move?(spot: Spot): void;
  /** Enter: finish what was begun. */
  confirm?(): void;
  /** Esc, or another tool: leave everything as it was. */
  cancel(): void;
}

export type MakeTool = (session: Session) => Tool;
