import type { ToolName } from "../store";

const SVG = "http://www.w3.org/2000/svg";

/** Strokes of each icon on a field of 24 by 24. */
const PATHS: Readonly<Record<ToolName | "undo" | "redo" | "next" | "whole" | "print", string>> = {
  select: "M5 3l13 8-6 1.6L9 18z",
  brush: "M14.5 4.5l5 5L11 18H6v-5zM6 18l-2 2",
  box: "M5 6h14v12H5zM3 6h4M5 4v4M17 18h4M19 16v4",
  lasso: "M12 5c5 0 8 2.2 8 5s-3.5 5-8 5-8-2.2-8-5 3-5 8-5zM8 15c-1 2 0 4 2 5",
  flood: "M5 11l7-7 7 7-7 7zM5 11h14M20 15c1.2 1.8 1.8 3 .9 4s-2.4.5-2.2-1c.1-1 .7-2 1.300-3z",
  sweep: "M12 3v18M4 12h5M15 12h5M6.500 9.500L4 12l2.500 2.500M17.500 9.500L20 12l-2.500 2.500",
  split: "M4 5h16v14H4zM15 3L9 21",
  encircle: "M12 4a8 8 0 1 1-5.700 2.400M12 4L9 2M12 4L9.500 6.500M12 9v6M9 12h6",
  divide: "M12 3l8 5v8l-8 5-8-5V8zM4 16L20 8",
  parts: "M4 4h7v7H4zM13 4h7v7h-7zM4 13h7v7H4zM13 13h7v7h-7z",
  merge: "M4 5h6v14H4zM14 5h6v14h-6zM10 12h4",
  new: "M5 5h14v14H5zM12 8.500v7M8.500 12h7",
  lock: "M6 11h12v9H6zM8.500 11V8a3.500 3.500 0 0 1 7 0v3",
  undo: "M8 6L4 10l4 4M4 10h10a5 5 0 0 1 0 10h-3",
  redo: "M16 6l4 4-4 4M20 10H10a5 5 0 0 0 0 10h3",
  next: "M12 3l9 16H3zM12 9v5M12 16.500v.5",
  print: "M7 8V4h10v4M7 17H4V8h16v9h-3M7 14h10v6H7z",
  whole: "M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5",
};

/** Draw an icon; the button around it carries the name. */
export function icon(name: keyof typeof PATHS): SVGSVGElement {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.classList.add("icon");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}
