import { h, say } from "../../shared/dom";
import { number, t } from "../../shared/i18n";
import type { PlanModel } from "../model/plan";
import type { Panel } from "./panel";

const BARS = 24;
const SVG = "http://www.w3.org/2000/svg";
const [WIDE, HIGH, BASE] = [300, 84, 66];

/** How many grids have which load, against the band. */
export function histogram(plan: PlanModel): Panel {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${WIDE} ${HIGH}`);
  svg.setAttribute("role", "img");
  const caption = h("p", { class: "caption" });
  const element = h("figure", { class: "histogram" }, svg, caption);
  const { band } = plan;
  const top = Math.max(2 * band.target, band.max * 1.4);
  const x = (load: number): number => (WIDE * Math.min(load, top)) / top;
  const bars = Array.from({ length: BARS }, (_, k) => rect("bar", x((k * top) / BARS) + 0.75, 0, WIDE / BARS - 1.5, 0));
  const marks = [band.min, band.target, band.max].map((load, k) => mark(x(load), load, k === 1 ? "target" : "edge"));
  svg.append(rect("band", x(band.min), 6, x(band.max) - x(band.min), BASE - 6), ...bars, ...marks.flat());
  let seen = -1;
  return {
    element,
    render(now): void {
      if (now.version === seen) return;
      seen = now.version;
      const counts = new Array<number>(BARS).fill(0);
      for (const grid of plan.grids.keys()) {
        const k = Math.min(BARS - 1, Math.floor((plan.figures(grid).load * BARS) / top));
        counts[k] = (counts[k] ?? 0) + 1;
      }
      const most = Math.max(1, ...counts);
      bars.forEach((bar, k) => {
        const tall = ((BASE - 10) * (counts[k] ?? 0)) / most;
        bar.setAttribute("y", String(BASE - tall));
        bar.setAttribute("height", String(tall));
        const middle = ((k + 0.5) * top) / BARS;
        bar.classList.toggle("out", middle < band.min || middle > band.max);
      });
      const inside = [...plan.grids.keys()].filter((grid) => plan.inBand(grid)).length;
      const text = t("histogram_caption", { inside, all: plan.grids.size, min: band.min, max: band.max });
      svg.setAttribute("aria-label", text);
      say(caption, text);
    },
  };
}

function rect(name: string, x: number, y: number, wide: number, high: number): SVGRectElement {
  const shape = document.createElementNS(SVG, "rect");
  shape.setAttribute("class", name);
  for (const [key, value] of Object.entries({ x, y, width: wide, height: high })) shape.setAttribute(key, String(value));
  return shape;
}

function mark(x: number, load: number, name: string): SVGElement[] {
  const line = document.createElementNS(SVG, "line");
  line.setAttribute("class", name);
  for (const [key, value] of Object.entries({ x1: x, x2: x, y1: 2, y2: BASE })) line.setAttribute(key, String(value));
  const text = document.createElementNS(SVG, "text");
  text.setAttribute("x", String(x));
  text.setAttribute("y", String(HIGH - 5));
  text.textContent = number(load);
  return [line, text];
}
