import { t } from "../../shared/i18n";
import { block } from "../model/reach";
import type { Session } from "../session";
import type { Spot, Tool } from "./tool";

/** Click a block: everything up to the next road, river or wall goes into the picked grid. */
export class FloodTool implements Tool {
  readonly cursor = "flood";
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  click(spot: Spot): void {
    const { plan, store } = this.#session;
    const { grid } = store.now;
    if (spot.cell === null) return;
    if (grid === null) {
      store.set({ hint: t("hint_pick_grid") });
      return;
    }
    this.#session.assign(this.#session.wanted(block(plan, spot.cell), grid, spot.single), grid);
  }

  cancel(): void {
    this.#session.giveUp();
  }
}
