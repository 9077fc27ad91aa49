import { t } from "../../shared/i18n";
import type { LonLat } from "../model/places";
import { UNASSIGNED } from "../model/plan";
import type { Session } from "../session";
import { shapeOf } from "./area";
import type { Spot, Tool } from "./tool";

const NOTHING = { type: "FeatureCollection" as const, features: [] };
const LEAST_PX = 4;

/** Click a grid, or with Alt a cell, to lock or unlock it; draw around an area to lock every cell in it. */
export class LockTool implements Tool {
  readonly cursor = "lock";
  readonly #session: Session;
  #ring: LonLat[] = [];
  #last = { x: 0, y: 0 };

  constructor(session: Session) {
    this.#session = session;
  }

  press(spot: Spot): void {
    this.#ring = [spot.at];
    this.#last = spot.point;
  }

  drag(spot: Spot): void {
    if (this.#ring.length === 0 || Math.hypot(spot.point.x - this.#last.x, spot.point.y - this.#last.y) < LEAST_PX) return;
    this.#ring.push(spot.at);
    this.#last = spot.point;
    this.#session.map.put("draft", { type: "FeatureCollection", features: [shapeOf(this.#ring)] });
  }

  release(): void {
    const ring = this.#ring;
    this.cancel();
    const { places, plan, store } = this.#session;
    const inside = ring.length < 3 ? [] : places.inRing(ring).filter((cell) => (plan.ground.areaDm2[cell] ?? 0) > 0);
    if (inside.length === 0) {
      store.set({ hint: t("hint_nothing_to_lock") });
      return;
    }
    // An area that is locked already, all of it, is unlocked.
    const locked = inside.some((cell) => plan.pinned[cell] !== 1);
    this.#session.command({ kind: "lock-area", locked, ring });
  }

  click(spot: Spot): void {
    this.cancel();
    if (spot.cell === null) return;
    const { plan } = this.#session;
    const grid = plan.assignment[spot.cell] ?? UNASSIGNED;
    if (spot.single) this.#session.command({ kind: "lock", locked: plan.pinned[spot.cell] !== 1, cells: [spot.cell] });
    else if (grid !== UNASSIGNED) this.#session.command({ kind: "lock", locked: !plan.grids.get(grid)?.locked, grids: [grid] });
  }

  cancel(): void {
    this.#ring = [];
    this.#session.map.put("draft", NOTHING);
  }
}
