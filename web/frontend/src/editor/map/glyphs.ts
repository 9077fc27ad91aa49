const SIZE = 16;

/** Pixels of an image for one of the screen. */
export const GLYPH_RATIO = 2;

/** Signs on the map: a locked grid, a locked cell, a cell in no grid. */
export const GLYPHS = ["lock", "pinned", "loose"] as const;
export type Glyph = (typeof GLYPHS)[number];

const INK = "#20302f";
const HALO = "#fbfaf6";
const WRONG = "#8f2a12";

/** Draw a sign; there is no file to ask for. */
export function glyph(name: Glyph): ImageData {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = SIZE * GLYPH_RATIO;
  // Read back at once: on the graphics card that would wait for everything it has to do.
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  if (pen === null) throw new Error("no canvas");
  pen.scale(GLYPH_RATIO, GLYPH_RATIO);
  if (name === "loose") ring(pen);
  else padlock(pen, name === "pinned" ? 0.75 : 1);
  return pen.getImageData(0, 0, canvas.width, canvas.height);
}

function ring(pen: CanvasRenderingContext2D): void {
  pen.arc(SIZE / 2, SIZE / 2, 4.2, 0, 2 * Math.PI);
  pen.fillStyle = "#ffffff";
  pen.fill();
  pen.lineWidth = 2;
  pen.strokeStyle = WRONG;
  pen.stroke();
}

function padlock(pen: CanvasRenderingContext2D, size: number): void {
  pen.translate((SIZE / 2) * (1 - size), (SIZE / 2) * (1 - size));
  pen.scale(size, size);
  // The same twice: a pale rim first, so that it reads on every fill.
  for (const [colour, more] of [
    [HALO, 2.6],
    [INK, 0],
  ] as const) {
    pen.strokeStyle = pen.fillStyle = colour;
    pen.lineJoin = "round";
    pen.lineWidth = 1.5 + more;
    pen.beginPath();
    pen.arc(SIZE / 2, 6.5, 2.6, Math.PI, 0);
    pen.lineTo(10.6, 8);
    pen.moveTo(5.4, 6.5);
    pen.lineTo(5.4, 8);
    pen.stroke();
    pen.beginPath();
    pen.rect(3.9, 7.6, 8.2, 5.8);
    if (more > 0) pen.stroke();
    pen.fill();
  }
}
