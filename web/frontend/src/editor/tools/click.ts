import { t } from "../../shared/i18n";
import { UNASSIGNED } from "../model/plan";
import { wholeCompounds } from "../model/reach";
import type { Session } from "../session";
import type { Spot, Tool } from "./tool";

type Action = (session: Session, spot: Spot & { readonly cell: number }, grid: number) => void;

/** Do one thing to the grid that is clicked. */
export class ClickTool implements Tool {
  readonly cursor: string;
  readonly #session: Session;
  readonly #action: Action;

  constructor(session: Session, cursor: string, action: Action) {
    this.#session = session;
    this.cursor = cursor;
    this.#action = action;
  }

  click(spot: Spot): void {
    if (spot.cell === null) return;
    const grid = this.#session.plan.assignment[spot.cell] ?? UNASSIGNED;
    this.#action(this.#session, { ...spot, cell: spot.cell }, grid);
  }

  cancel(): void {
    this.#session.giveUp();
  }
}

/** Make a grid of the compound, or with Alt of the building, that is clicked. */
export const newGrid: Action = (session, spot) => {
  const cells = session.wanted(spot.single ? [spot.cell] : wholeCompounds(session.plan, [spot.cell]), UNASSIGNED, true);
  if (cells.length > 0) session.store.set({ grid: session.create(cells) });
};

/** The pair that was suggested last: two grids may be chosen for another reason, such as a border that was moved. */
const suggested = new WeakMap<Session, ReadonlySet<number>>();

/** Join the grid with its best neighbour; a second click on it confirms. */
export const merge: Action = (session, _spot, grid) => {
  if (grid === UNASSIGNED) return;
  const { chosen } = session.store.now;
  if (chosen === suggested.get(session) && chosen.has(grid)) {
    const [first, second] = chosen;
    session.command({ kind: "merge", grids: [first, second] });
    session.store.set({ chosen: new Set() });
    return;
  }
  const partner = session.partner(grid);
  if (partner === null) {
    session.store.set({ hint: t("hint_no_partner") });
    return;
  }
  const pair = new Set([partner, grid]);
  suggested.set(session, pair);
  session.store.set({ chosen: pair, hint: t("hint_merge_again", { grid: session.nameOf(partner) }) });
};
