import { h } from "../../shared/dom";
import { t } from "../../shared/i18n";
import { drawDivided } from "../map/divided";
import { EditorMap } from "../map/map";
import { Colours } from "../model/colours";
import { type Band, type GridRecord, PlanModel } from "../model/plan";
import { Painter } from "../paint";
import type { Session } from "../session";
import { stepped, within } from "./divider";

/** The other plan as the second map needs it, on the cells of this one. */
export interface OtherPlan {
  readonly name: string;
  readonly band: Band;
  readonly cells: Int32Array;
  readonly grids: readonly GridRecord[];
}

/** A second map with the other plan, over the left of the first one as far as a divider that can be moved. */
export class Swipe {
  readonly #session: Session;
  readonly #frame = h("div", { class: "map" });
  readonly #divider: HTMLElement;
  readonly #element: HTMLElement;
  readonly #map: EditorMap;
  readonly #follow = (): void => this.#align();
  #share = 50;

  /** Make it; it shows once `ready` resolves. */
  constructor(session: Session, other: OtherPlan, closed: () => void) {
    this.#session = session;
    this.#divider = h(
      "div",
      {
        class: "divider",
        role: "slider",
        tabindex: 0,
        "aria-label": t("swipe_divider", { other: other.name }),
        "aria-valuemin": 0,
        "aria-valuemax": 100,
        keydown: (event) => this.#key(event, closed),
        pointerdown: (event) => this.#grab(event),
        pointermove: (event) => this.#drag(event),
      },
      h("span", { class: "plan-name theirs" }, other.name),
      h("span", { class: "grip", "aria-hidden": "true" }),
      h("span", { class: "plan-name ours" }, session.info.name),
    );
    // What the second map shows is told by the table; keys and strokes go to the first one.
    const shown = h("div", { class: "other-map", inert: true, "aria-hidden": "true" }, this.#frame);
    this.#element = h("div", { class: "swipe", "aria-busy": true }, shown, this.#divider);
    this.#container().append(this.#element);
    this.#map = new EditorMap(this.#frame, session.api.tilesUrl(session.info.dataset), session.map.tiles);
    this.#move(this.#share);
    this.#align();
    session.map.gl.on("move", this.#follow);
  }

  /** Draw the other plan. */
  async ready(other: OtherPlan): Promise<void> {
    const { plan, places, info, store } = this.#session;
    await this.#map.ready();
    // Numbers turn red by the other plan's band; what cells count for is taken from this plan.
    const model = new PlanModel(plan.ground, other.band, plan.load, other.cells, other.grids);
    drawDivided(this.#map, info.divisions);
    new Painter(this.#map, model, places, new Colours(model)).all();
    this.layers(store.now.layers);
    this.#align();
    this.#element.removeAttribute("aria-busy");
  }

  /** Show the same layers as the first map. */
  layers(on: ReadonlySet<string>): void {
    for (const name of ["grids", "borders", "labels", "cells", "buildings", "compounds", "communities", "roads", "water", "railways"]) this.#map.show(name, on.has(name));
  }

  focus(): void {
    this.#divider.focus();
  }

  /** Take the second map away, and its memory with it. */
  remove(): void {
    this.#session.map.gl.off("move", this.#follow);
    this.#map.gl.remove();
    this.#element.remove();
  }

  #container(): HTMLElement {
    const frame = this.#session.map.gl.getContainer();
    return frame.parentElement ?? frame;
  }

  #align(): void {
    const { gl } = this.#session.map;
    this.#map.gl.jumpTo({ center: gl.getCenter(), zoom: gl.getZoom() });
  }

  #move(share: number): void {
    this.#share = share;
    this.#frame.style.clipPath = `inset(0 ${100 - share}% 0 0)`;
    this.#divider.style.left = `${share}%`;
    this.#divider.setAttribute("aria-valuenow", String(Math.round(share)));
  }

  #key(event: Event, closed: () => void): void {
    if (!(event instanceof KeyboardEvent)) return;
    if (event.key === "Escape") {
      event.stopPropagation();
      closed();
      return;
    }
    const share = stepped(this.#share, event.key);
    if (share === null) return;
    event.preventDefault();
    event.stopPropagation();
    this.#move(share);
  }

  #grab(event: Event): void {
    if (event instanceof PointerEvent) this.#divider.setPointerCapture(event.pointerId);
  }

  #drag(event: Event): void {
    if (!(event instanceof PointerEvent) || !this.#divider.hasPointerCapture(event.pointerId)) return;
    const box = this.#element.getBoundingClientRect();
    this.#move(within((100 * (event.clientX - box.left)) / Math.max(1, box.width)));
  }
}
