import { h, say } from "../../shared/dom";
import { number, t } from "../../shared/i18n";
import type { PlanModel } from "../model/plan";
import type { Panel } from "./panel";

/** Bars inside the band; all others are as wide, so that no bar lies half in the band. */
const INSIDE = 8;
const SVG = "http://www.w3.org/2000/svg";
const [WIDE, HIGH, BASE] = [300, 84, 66];
/** The highest load with a bar of its own, in targets; the last bar holds all above. */
const TOP = 1.9;

/** How many grids have which load, against the band. */
export function histogram(plan: PlanModel): Panel {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${WIDE} ${HIGH}`);
  svg.setAttribute("role", "img");
  const caption = h("p", { class: "caption" });
  const element = h("figure", { class: "histogram" }, svg, caption);
  const { band } = plan;
  const step = Math.max(1, (band.max - band.min) / INSIDE);
  const first = band.min - Math.ceil(band.min / step) * step;
  const count = INSIDE + Math.ceil(band.min / step) + Math.max(1, Math.ceil((TOP * band.target - band.max) / step)) + 1;
  const wide = WIDE / count;
  const x = (load: number): number => ((load - first) / step) * wide;
  const bars = Array.from({ length: count }, (_, k) => rect("bar", k * wide + 0.6, 0, wide - 1.2, 0));
  const [below, above] = [Math.round((band.min - first) / step), Math.round((band.max - first) / step)];
  bars.forEach((bar, k) => bar.classList.toggle("out", k < below || k >= above));
  const marks = [band.min, band.target, band.max].map((load, k) => mark(x(load), number(load), k === 1 ? "target" : "edge"));
  const base = line("base", 0, WIDE, BASE, BASE);
  const more = text(WIDE - 1, `≥ ${number(Math.round(first + (count - 1) * step))}`, "end");
  svg.append(rect("band", x(band.min), 6, x(band.max) - x(band.min), BASE - 6), ...bars, ...marks.flat(), base, more);
  let seen = -1;
  return {
    element,
    render(now): void {
      if (now.version === seen) return;
      seen = now.version;
      const counts = new Array<number>(count).fill(0);
      let inside = 0;
      for (const grid of plan.grids.keys()) {
        const { load } = plan.figures(grid);
        // The bound itself is within the band.
        const k = load === band.max ? above - 1 : Math.min(count - 1, Math.floor((load - first) / step));
        counts[k] = (counts[k] ?? 0) + 1;
        if (plan.inBand(grid)) inside += 1;
      }
      const most = Math.max(1, ...counts);
      bars.forEach((bar, k) => {
        const tall = ((BASE - 10) * (counts[k] ?? 0)) / most;
        bar.setAttribute("y", String(BASE - tall));
        bar.setAttribute("height", String(tall));
      });
      const said = t("histogram_caption", { inside, all: plan.grids.size, min: band.min, max: band.max });
      svg.setAttribute("aria-label", said);
      say(caption, said);
    },
  };
}

function rect(name: string, x: number, y: number, wide: number, high: number): SVGRectElement {
  const shape = document.createElementNS(SVG, "rect");
  shape.setAttribute("class", name);
  for (const [key, value] of Object.entries({ x, y, width: wide, height: high })) shape.setAttribute(key, String(value));
  return shape;
}

function line(name: string, x1: number, x2: number, y1: number, y2: number): SVGLineElement {
  const drawn = document.createElementNS(SVG, "line");
  drawn.setAttribute("class", name);
  for (const [key, value] of Object.entries({ x1, x2, y1, y2 })) drawn.setAttribute(key, String(value));
  return drawn;
}

function text(x: number, said: string, anchor: "middle" | "end"): SVGTextElement {
  const element = document.createElementNS(SVG, "text");
  element.setAttribute("class", anchor);
  element.setAttribute("x", String(x));
  element.setAttribute("y", String(HIGH - 5));
  element.textContent = said;
  return element;
}

function mark(x: number, load: string, name: string): SVGElement[] {
  return [line(name, x, x, 2, BASE), text(x, load, "middle")];
}
