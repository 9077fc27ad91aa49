import type { MapMouseEvent, MapTouchEvent } from "maplibre-gl";
import { UNASSIGNED } from "../model/plan";
import type { Session } from "../session";
import { TOOLS, type ToolName } from "../store";
import { AreaTool } from "./area";
import { BrushTool } from "./brush";
import { ClickTool, merge, newGrid } from "./click";
import { Crosshair } from "./crosshair";
import { FloodTool } from "./flood";
import { LineTool } from "./line";
import { LockTool } from "./lock";
import { PartsTool } from "./parts";
import { SelectTool } from "./select";
import { SweepTool } from "./sweep";
import type { MakeTool, Spot, Tool } from "./tool";

const STILL_PX = 4;
const STEP_PX = 60;
const FINE_PX = 12;
/** A tap is followed by the mouse events that it stands for; they are not a second tap. */
const ECHO_MS = 800;

/** Where each arrow key leads, in steps to the right and down. */
const ARROWS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

const MAKE: Readonly<Record<ToolName, MakeTool>> = {
  select: (session) => new SelectTool(session),
  brush: (session) => new BrushTool(session),
  box: (session) => new AreaTool(session, "box"),
  lasso: (session) => new AreaTool(session, "lasso"),
  encircle: (session) => new AreaTool(session, "encircle"),
  flood: (session) => new FloodTool(session),
  sweep: (session) => new SweepTool(session),
  split: (session) => new LineTool(session, "split"),
  divide: (session) => new LineTool(session, "divide"),
  parts: (session) => new PartsTool(session),
  merge: (session) => new ClickTool(session, "merge", merge),
  new: (session) => new ClickTool(session, "new", newGrid),
  lock: (session) => new LockTool(session),
};

/** Turns what mouse, pen, finger and keys do on the map into strokes of the tool in use. */
export class Hands {
  readonly #session: Session;
  readonly #frame: HTMLElement;
  readonly #tools: Readonly<Record<ToolName, Tool>>;
  readonly #crosshair: Crosshair;
  #down: Spot | null = null;
  #dragging = false;
  #panning = false;
  /** Whether the stroke in progress was begun with Enter: the arrows lead it then. */
  #keyed = false;
  #single = false;
  /** How far the arrows have led since the stroke began, in pixels of the screen. */
  #led: readonly [number, number] = [0, 0];
  #touchedAt = -Infinity;

  constructor(session: Session, frame: HTMLElement) {
    this.#session = session;
    this.#frame = frame;
    this.#crosshair = new Crosshair(session, frame);
    this.#tools = Object.fromEntries(TOOLS.map((name) => [name, MAKE[name](session)])) as Record<ToolName, Tool>;
    const { gl } = session.map;
    // Arrows have to lead strokes too, so that the map does not take them itself.
    gl.keyboard.disable();
    gl.getCanvas().addEventListener("keydown", (event) => this.#lead(event));
    gl.on("mousedown", (event) => this.#press(event));
    gl.on("mousemove", (event) => this.#move(event));
    gl.on("touchstart", (event) => this.#touch(event));
    gl.on("touchmove", (event) => this.#slide(event));
    gl.on("touchend", (event) => this.#lift(event));
    gl.on("touchcancel", () => this.cancel());
    // The pointer may be let go beside the map.
    window.addEventListener("mouseup", (event) => this.#up(event));
    gl.on("contextmenu", (event) => {
      event.preventDefault();
      if (this.#down !== null) this.cancel();
      this.#pick(event.point);
    });
    gl.on("mouseout", () => session.store.set({ hover: null }));
    session.store.subscribe((now, before) => {
      if (now.tool !== before.tool) this.#changed(before.tool);
    });
    this.#changed(null);
  }

  /** Leave the stroke in progress as if it had never begun. */
  cancel(): void {
    this.#forget();
    this.#tool().cancel();
  }

  confirm(): void {
    this.#tool().confirm?.();
  }

  /** Hold the map to pan it while Space is down. */
  pan(on: boolean): void {
    if (on === this.#panning) return;
    this.#panning = on;
    this.#frame.classList.toggle("panning", on);
    this.#reins();
  }

  /** Bring the keyboard to the map. */
  focus(): void {
    this.#session.map.gl.getCanvas().focus();
    this.#crosshair.show();
  }

  /** Use the tool in the middle of the map: at once, or, where it draws, from this Enter to the next. */
  act(single: boolean, more: boolean): void {
    this.#crosshair.show();
    if (this.#keyed) {
      this.#release(this.#middle(this.#single, more));
      return;
    }
    this.#single = single;
    this.#led = [0, 0];
    const spot = this.#middle(single, more);
    const tool = this.#tool();
    if (tool.press === undefined) {
      tool.click?.(spot);
      return;
    }
    this.#down = spot;
    this.#keyed = true;
    this.#crosshair.hold(true);
    tool.press(spot);
  }

  /** Pick the grid in the middle of the map, as the right button does under the pointer. */
  pickMiddle(): void {
    this.#crosshair.show();
    this.#pick(this.#centre());
  }

  #tool(): Tool {
    return this.#tools[this.#session.store.now.tool];
  }

  #changed(before: ToolName | null): void {
    // What was selected stays so: the next tool works on it.
    if (before !== null && before !== "select") this.#tools[before].cancel();
    this.#forget();
    this.#frame.dataset["cursor"] = this.#tool().cursor;
    this.#reins();
  }

  /** The map follows the mouse only where no tool wants to draw. */
  #reins(): void {
    const { dragPan } = this.#session.map.gl;
    if (this.#panning || this.#tool().press === undefined) dragPan.enable();
    else dragPan.disable();
  }

  #forget(): void {
    this.#down = null;
    this.#dragging = false;
    this.#keyed = false;
    this.#crosshair.hold(false);
  }

  #press(event: MapMouseEvent): void {
    if (performance.now() - this.#touchedAt < ECHO_MS) return;
    this.#crosshair.hide();
    if (this.#keyed) this.cancel();
    if (this.#panning || event.originalEvent.button !== 0) return;
    this.#begin(this.#spot(event));
  }

  #begin(spot: Spot): void {
    this.#down = spot;
    this.#dragging = false;
    this.#tool().press?.(spot);
  }

  #move(event: MapMouseEvent): void {
    if (this.#keyed || performance.now() - this.#touchedAt < ECHO_MS) return;
    const spot = this.#spot(event);
    this.#session.store.set({ hover: spot.cell });
    this.#draw(spot);
  }

  #draw(spot: Spot): void {
    const down = this.#down;
    if (down === null) {
      this.#tool().move?.(spot);
      return;
    }
    this.#dragging ||= Math.hypot(spot.point.x - down.point.x, spot.point.y - down.point.y) > STILL_PX;
    if (this.#dragging) this.#tool().drag?.(spot);
  }

  /** One finger is the pen; a second one pinches, and the stroke it breaks into is dropped. */
  #touch(event: MapTouchEvent): void {
    this.#touchedAt = performance.now();
    this.#crosshair.hide();
    if (event.originalEvent.touches.length === 1) this.#begin(this.#spot(event));
    else if (this.#down !== null) this.cancel();
  }

  #slide(event: MapTouchEvent): void {
    this.#touchedAt = performance.now();
    if (this.#down !== null && event.originalEvent.touches.length === 1) this.#draw(this.#spot(event));
  }

  #lift(event: MapTouchEvent): void {
    this.#touchedAt = performance.now();
    const spot = this.#spot(event);
    this.#session.store.set({ hover: spot.cell });
    // A tool that draws nothing lets the finger pan the map: that was no tap.
    if (this.#dragging && this.#tool().press === undefined) this.#forget();
    else this.#release(spot);
  }

  /** Arrows move the map under the crosshair, and with it the stroke that Enter began; plus and minus zoom. */
  #lead(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { gl } = this.#session.map;
    if (event.key === "+" || event.key === "=" || event.key === "-") {
      event.preventDefault();
      gl.jumpTo({ zoom: gl.getZoom() + (event.key === "-" ? -0.5 : 0.5) });
    }
    const way = ARROWS[event.key];
    if (way === undefined) return;
    event.preventDefault();
    const step = event.shiftKey ? FINE_PX : STEP_PX;
    gl.panBy([way[0] * step, way[1] * step], { duration: 0 });
    this.#led = [this.#led[0] + way[0] * step, this.#led[1] + way[1] * step];
    const spot = this.#middle(this.#single, false);
    this.#session.store.set({ hover: spot.cell });
    this.#crosshair.show();
    this.#draw(spot);
    this.#crosshair.tell(spot.cell);
  }

  #centre(): { x: number; y: number } {
    const canvas = this.#session.map.gl.getCanvas();
    return { x: canvas.clientWidth / 2, y: canvas.clientHeight / 2 };
  }

  /** The spot under the crosshair; its point wanders as a pointer would that led the stroke. */
  #middle(single: boolean, more: boolean): Spot {
    const centre = this.#centre();
    const { lng, lat } = this.#session.map.gl.unproject([centre.x, centre.y]);
    const point = { x: centre.x + this.#led[0], y: centre.y + this.#led[1] };
    return { at: [lng, lat], point, cell: this.#session.map.cellAt(centre), single, more };
  }

  #up(event: MouseEvent): void {
    if (this.#down === null || this.#keyed || event.button !== 0) return;
    const box = this.#session.map.gl.getCanvas().getBoundingClientRect();
    const point = { x: event.clientX - box.left, y: event.clientY - box.top };
    const { lng, lat } = this.#session.map.gl.unproject([point.x, point.y]);
    this.#release({ at: [lng, lat], point, cell: this.#session.map.cellAt(point), single: event.altKey, more: event.shiftKey });
  }

  #release(spot: Spot): void {
    if (this.#down === null) return;
    const still = !this.#dragging;
    this.#forget();
    if (still && this.#tool().click) this.#tool().click?.(spot);
    else this.#tool().release?.(spot);
  }

  /** The right button picks the grid that strokes go into. */
  #pick(point: { x: number; y: number }): void {
    const { plan, store } = this.#session;
    const cell = this.#session.map.cellAt(point);
    const grid = cell === null ? UNASSIGNED : (plan.assignment[cell] ?? UNASSIGNED);
    store.set(grid === UNASSIGNED ? { grid: null, chosen: new Set() } : { grid, chosen: new Set([grid]) });
  }

  #spot(event: MapMouseEvent | MapTouchEvent): Spot {
    const { point, lngLat, originalEvent } = event;
    const spot = { x: point.x, y: point.y };
    return {
      at: [lngLat.lng, lngLat.lat],
      point: spot,
      cell: this.#session.map.cellAt(spot),
      single: originalEvent.altKey,
      more: originalEvent.shiftKey,
    };
  }
}
