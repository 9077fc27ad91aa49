import type { Feature } from "geojson";
import { t } from "../../shared/i18n";
import type { LonLat } from "../model/places";
import { UNASSIGNED } from "../model/plan";
import type { Session } from "../session";
import type { Spot, Tool } from "./tool";

const NOTHING = { type: "FeatureCollection" as const, features: [] };
const LEAST_PX = 6;

/** Draw a line through a grid to split it, or through a cell to divide it. */
export class LineTool implements Tool {
  readonly cursor = "cross";
  readonly #session: Session;
  readonly #kind: "split" | "divide";
  #points: LonLat[] = [];
  #screen: { x: number; y: number }[] = [];
  #under = new Map<number, number>();

  constructor(session: Session, kind: "split" | "divide") {
    this.#session = session;
    this.#kind = kind;
  }

  press(spot: Spot): void {
    this.#points = [spot.at];
    this.#screen = [spot.point];
    this.#under = new Map();
    this.#meet(spot);
  }

  drag(spot: Spot): void {
    const last = this.#screen.at(-1);
    if (last === undefined) return;
    this.#meet(spot);
    if (Math.hypot(spot.point.x - last.x, spot.point.y - last.y) < LEAST_PX) return;
    this.#points.push(spot.at);
    this.#screen.push(spot.point);
    const line: Feature = { type: "Feature", properties: {}, geometry: { type: "LineString", coordinates: this.#points.map((at) => [...at]) } };
    this.#session.map.put("draft", { type: "FeatureCollection", features: [line] });
  }

  release(spot: Spot): void {
    const line = this.#points.length > 1 ? this.#points : [...this.#points, spot.at];
    const target = this.#most();
    this.cancel();
    if (target === null || line.length < 2) {
      this.#session.store.set({ hint: t(this.#kind === "split" ? "hint_line_grid" : "hint_line_cell") });
      return;
    }
    const edit = this.#kind === "split" ? { kind: "split-line", grid: target, line } : { kind: "divide", cell: target, line };
    this.#session.command(edit);
  }

  cancel(): void {
    this.#points = [];
    this.#screen = [];
    this.#session.map.put("draft", NOTHING);
  }

  /** Count what the line passes: a chosen grid, or the one it passes most. */
  #meet(spot: Spot): void {
    if (spot.cell === null) return;
    const { plan } = this.#session;
    const object = this.#kind === "divide" ? spot.cell : (plan.assignment[spot.cell] ?? UNASSIGNED);
    if (object !== UNASSIGNED) this.#under.set(object, (this.#under.get(object) ?? 0) + 1);
  }

  #most(): number | null {
    const { chosen } = this.#session.store.now;
    const [picked] = chosen;
    if (this.#kind === "split" && chosen.size === 1 && picked !== undefined && this.#under.has(picked)) return picked;
    const [best] = [...this.#under].sort((a, b) => b[1] - a[1] || a[0] - b[0]);
    return best?.[0] ?? null;
  }
}
