import { FILLS } from "../model/colours";
import type { Sketch } from "./requests";

const SVG = "http://www.w3.org/2000/svg";
const MARGIN = 12;

/** Draw a small map; grids out of the band have a strong outline. */
export function drawn(sketch: Sketch, label: string): SVGSVGElement {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `${-MARGIN} ${-MARGIN} ${sketch.width + 2 * MARGIN} ${sketch.height + 2 * MARGIN}`);
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", label);
  const sorted = [...sketch.grids].sort((a, b) => Number(a.out) - Number(b.out));
  for (const { path, colour, out } of sorted) {
    const shape = document.createElementNS(SVG, "path");
    shape.setAttribute("d", path);
    shape.setAttribute("fill", FILLS[colour % FILLS.length] ?? FILLS[0]);
    if (out) shape.setAttribute("class", "out");
    svg.append(shape);
  }
  return svg;
}
