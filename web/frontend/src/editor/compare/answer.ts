export const NEW_KINDS = ["kept", "split", "merged", "moved", "new"] as const;
export const OLD_KINDS = ["kept", "split", "merged", "moved", "gone"] as const;
export type Kind = (typeof NEW_KINDS)[number] | (typeof OLD_KINDS)[number];

/** A grid of either plan with its main relative in the other one. */
export interface Descent {
  readonly id: number;
  readonly code: string;
  readonly name: string;
  readonly main: number | null;
  readonly households: number;
  /** Households from elsewhere than the main origin; only of the grids of this plan. */
  readonly moved?: number;
  readonly kind: Kind;
}

interface Compared {
  readonly id: string;
  readonly name: string;
  readonly revision: number;
  readonly grids: number;
}

/** What the service says of two plans. */
export interface Comparison {
  readonly plan: Compared;
  readonly other: Compared;
  readonly summary: {
    readonly grids: number;
    readonly other_grids: number;
    readonly households: number;
    readonly households_moved: number;
    readonly share_moved: number | null;
    readonly kinds: Readonly<Record<string, number>>;
    readonly other_kinds: Readonly<Record<string, number>>;
  };
  readonly grids: readonly Descent[];
  readonly other_grids: readonly Descent[];
}
