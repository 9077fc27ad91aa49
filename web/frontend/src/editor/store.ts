import { Store as SharedStore } from "../shared/store";
import type { EditDocument, SyncState } from "./model/sync";

export const TOOLS = ["select", "brush", "box", "lasso", "flood", "sweep", "split", "encircle", "divide", "parts", "merge", "new", "lock"] as const;
export type ToolName = (typeof TOOLS)[number];

export const PANELS = ["grids", "helpers", "history", "compare", "parameters", "together"] as const;
export type PanelName = (typeof PANELS)[number];

/** An edit that the service works out before it is made. */
export interface Proposal {
  readonly edit: EditDocument;
  readonly state: "asking" | "shown";
  /** Households that would change their grid. */
  readonly moved: number;
}

/** What the page shows, apart from the plan itself. */
export interface State {
  readonly tool: ToolName;
  /** The grid that strokes put cells into; null until one is picked. */
  readonly grid: number | null;
  /** Chosen grids, for merging, rebalancing and the like. */
  readonly chosen: ReadonlySet<number>;
  readonly hover: number | null;
  /** Radius of the brush in pixels. */
  readonly brush: number;
  readonly layers: ReadonlySet<string>;
  readonly panel: PanelName;
  readonly sync: SyncState;
  readonly proposal: Proposal | null;
  readonly hint: string;
  readonly message: { readonly kind: "info" | "warning" | "error"; readonly text: string } | null;
  /** Counts up with every change of the plan, so that what shows it knows. */
  readonly version: number;
}

/** The one place where the page's state changes. */
export class Store extends SharedStore<State> {}

export function firstState(revision: number): State {
  return {
    tool: "select",
    grid: null,
    chosen: new Set(),
    hover: null,
    brush: 24,
    layers: new Set(["grids", "borders", "labels", "cells", "buildings", "compounds", "communities", "roads", "water", "railways"]),
    panel: "grids",
    sync: { waiting: 0, online: true, revision },
    proposal: null,
    hint: "",
    message: null,
    version: 0,
  };
}
