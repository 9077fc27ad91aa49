import type { CustomLayerInterface, CustomRenderMethodInput } from "maplibre-gl";
import { FILLS } from "../model/colours";
import { Picture, plainly, texture } from "./picture";
import type { Raster } from "./raster";
import { BORDER, CHOSEN, FRESH, USUAL_SHADE } from "./style";

/** Columns of the table of what cells look like. */
const COLUMNS = 1024;
/** The whole picture is sent when the first view has been seen, and what is worked with is there. */
const SEEN_MS = 400;

// What a cell looks like, in one number: its colour, whether its grid is chosen and somebody just changed it, and its grid.
const CHOSEN_BIT = 0x100;
const FRESH_BIT = 0x200;
const GRID_SHIFT = 12;
/** Colour of a cell that is not drawn. */
export const HIDDEN = 254;

/** Pixels of the screen from the middle of a border to its rim, by zoom: as wide as in close views. */
const HALF_PX = [0.62, 1.1] as const;

const VERTEX = `#version 300 es
in vec4 corner; in vec2 place; out vec2 spot;
void main() { spot = place; gl_Position = corner; }`;

// Around each pixel eight others are looked at: the more of them lie in another grid, the stronger the border.
const FRAGMENT = `#version 300 es
precision highp float; precision highp int; precision highp usampler2D;
uniform usampler2D cells; uniform usampler2D looks;
uniform ivec2 size; uniform float rough; uniform uint none; uniform float reach; uniform float shade; uniform int parts; uniform float scale;
uniform vec3 fills[${FILLS.length + 4}];
in vec2 spot; out vec4 colour;
uint cellAt(vec2 p) {
  ivec2 q = ivec2(floor(p / rough));
  return any(lessThan(q, ivec2(0))) || any(greaterThanEqual(q, size)) ? none : texelFetch(cells, q, 0).r;
}
uint look(uint cell) { return texelFetch(looks, ivec2(int(cell) & ${COLUMNS - 1}, int(cell) / ${COLUMNS}), 0).r; }
vec2 border(uint cell, uint own, float far, int turns) {
  vec2 found = vec2(0.0);
  vec2 away = vec2(far, 0.0);
  // One loop, not sixteen copies: making the program takes longer than drawing with it.
  for (int k = 0; k < turns; k++) {
    float wide = k < 8 ? 1.0 : 2.0;
    uint other = cellAt(spot + wide * away);
    away = vec2(away.x - away.y, away.x + away.y) * 0.70710678;
    if (other == cell || other == none) continue;
    uint there = look(other);
    if (there >> ${GRID_SHIFT} == own >> ${GRID_SHIFT} || (there & 255u) == ${HIDDEN}u) continue;
    if (k < 8) found.x += 1.0;
    else found.y += float(((there | own) & ${CHOSEN_BIT}u) != 0u);
  }
  return clamp(found / 3.0, 0.0, 1.0);
}
void main() {
  uint cell = cellAt(spot);
  if (cell == none) discard;
  uint own = look(cell);
  uint hue = own & 255u;
  if (hue == ${HIDDEN}u) discard;
  colour = vec4(0.0);
  if ((parts & 1) != 0) {
    bool loose = hue == 255u;
    float a = loose ? min(0.9, shade + 0.2) : shade;
    vec3 usual = loose ? vec3(1.0) : fills[min(hue, ${FILLS.length - 1}u)];
    colour = vec4(((own & ${FRESH_BIT}u) != 0u ? fills[${FILLS.length + 3}] : usual) * a, a);
    float stripe = mod(gl_FragCoord.x + gl_FragCoord.y, 10.0 * scale);
    if (loose && stripe < 1.6 * scale) colour = vec4(fills[${FILLS.length + 2}] * 0.85, 0.85);
  }
  if ((parts & 2) != 0) {
    vec2 found = border(cell, own, reach, (parts & 4) != 0 ? 16 : 8);
    float a = 0.92 * max(found.x, found.y);
    colour = vec4(fills[found.y > 0.0 ? ${FILLS.length + 1} : ${FILLS.length}] * a, a) + colour * (1.0 - a);
  }
  if (colour.a == 0.0) discard;
}`;

type Part = "fills" | "borders";

/** What is to be known of the view that is about to be drawn. */
export interface View {
  /** Whether it is drawn from the picture. */
  isOn(): boolean;
  /** How many pixels of the picture it shows in one of the page. */
  texels(): number;
  /** Draw it anew. */
  again(): void;
}

/** Draws all cells of far views from a picture of their numbers: colours and borders are looked up for every pixel. */
export class Overview {
  readonly #looks: Uint32Array<ArrayBuffer>;
  readonly #cells: number;
  readonly #view: View;
  /** Made before there is anything to draw: the graphics card takes its time. */
  #program: WebGLProgram | null;
  #raster: Raster | null = null;
  #gl: WebGL2RenderingContext | null = null;
  #changed: readonly [number, number] | null = null;
  #chosen = 0;
  #shade = USUAL_SHADE;
  #drawing: Drawing | null = null;
  /** Whether borders are drawn above what lies between: as long as nothing does, one pass is enough. */
  #apart = false;
  #filled = false;
  readonly #shown = { fills: true, borders: true };
  #drawn: (() => void) | null = null;
  #isRefined = false;

  constructor(cells: number, program: WebGLProgram | null, view: View) {
    this.#cells = cells;
    this.#program = program;
    this.#view = view;
    this.#looks = new Uint32Array(COLUMNS * Math.max(1, Math.ceil(cells / COLUMNS)));
  }

  /** Take the picture; the layers may be on the map already. */
  fill(raster: Raster): void {
    this.#raster = raster;
    this.#begin();
  }

  /** Say what a cell looks like; grids are told apart by their number. */
  look(cell: number, colour: number, grid: number): void {
    if (cell >= this.#cells) return;
    this.#put(cell, (colour | ((grid + 1) << GRID_SHIFT) | (at(this.#looks, cell) & (CHOSEN_BIT | FRESH_BIT))) >>> 0);
    this.#filled = true;
  }

  /** Colour a cell as changed just now by somebody else, or as usual again. */
  flash(cell: number, on: boolean): void {
    if (cell < this.#cells) this.#put(cell, (on ? at(this.#looks, cell) | FRESH_BIT : at(this.#looks, cell) & ~FRESH_BIT) >>> 0);
  }

  /** Whether the view would be another one if it were drawn again. */
  get isStale(): boolean {
    return this.#changed !== null && this.#view.isOn();
  }

  choose(cell: number, on: boolean): void {
    if (cell >= this.#cells) return;
    const was = at(this.#looks, cell);
    if ((was & CHOSEN_BIT) === (on ? CHOSEN_BIT : 0)) return;
    this.#chosen += on ? 1 : -1;
    this.#put(cell, (was ^ CHOSEN_BIT) >>> 0);
  }

  show(part: Part, on: boolean): void {
    this.#shown[part] = on;
  }

  /** How strongly the fills hide what is below. */
  shade(shade: number): void {
    this.#shade = shade;
  }

  /** From now on other layers may lie between fills and borders. */
  part(): void {
    this.#apart = true;
  }

  /** Tell once the first picture is drawn. */
  onDrawn(drawn: () => void): void {
    this.#drawn = drawn;
  }

  /** Return the layer of the map that draws a part. */
  layer(part: Part): CustomLayerInterface {
    return {
      id: `overview-${part}`,
      type: "custom",
      renderingMode: "2d",
      onAdd: (_, gl) => {
        if (part === "borders") return;
        this.#gl = gl;
        this.#begin();
      },
      onRemove: () => {
        if (part === "fills") this.lose();
      },
      render: (_, view) => this.#render(part, view),
    };
  }

  /** With the card's memory all that was in it is gone, the program too; the layers are to be added anew. */
  lose(): void {
    this.#gl = this.#drawing = this.#program = null;
  }

  #begin(): void {
    if (this.#gl === null || this.#raster === null) return;
    this.#drawing = new Drawing(this.#gl, this.#program ?? overviewProgram(this.#gl), this.#raster, this.#looks, this.#view.texels());
    this.#isRefined = false;
  }

  #refine(cells: Picture): void {
    this.#isRefined = true;
    const done = (): void => {
      if (this.#view.isOn()) this.#view.again();
    };
    window.setTimeout(() => cells.refine(done), SEEN_MS);
  }

  #render(part: Part, view: CustomRenderMethodInput): void {
    if (this.#drawing === null || !this.#filled || !this.#view.isOn()) return;
    const { fills, borders } = this.#shown;
    let parts = 0;
    if (part === "fills") parts = (fills ? 1 : 0) | (borders && !this.#apart ? 2 : 0);
    else if (this.#apart) parts = borders ? 2 : 0;
    if (parts === 0) return;
    if (this.#changed !== null) this.#drawing.refresh(this.#looks, ...this.#changed);
    this.#changed = null;
    this.#drawing.draw(view, parts | (this.#chosen > 0 ? 4 : 0), this.#shade, this.#view.texels());
    if (!this.#isRefined) this.#refine(this.#drawing.cells);
    this.#drawn?.();
    this.#drawn = null;
  }

  #put(cell: number, look: number): void {
    if (this.#looks[cell] === look) return;
    this.#looks[cell] = look;
    const row = Math.floor(cell / COLUMNS);
    const [low, high] = this.#changed ?? [row, row];
    this.#changed = [Math.min(low, row), Math.max(high, row)];
  }
}

/** What the graphics card holds. */
class Drawing {
  readonly #gl: WebGL2RenderingContext;
  readonly #program: WebGLProgram;
  readonly #corners: WebGLBuffer;
  readonly #array: WebGLVertexArrayObject;
  readonly cells: Picture;
  readonly #looks: WebGLTexture;
  readonly #info: Raster["info"];
  readonly #places = new Map<string, WebGLUniformLocation | null>();

  constructor(gl: WebGL2RenderingContext, program: WebGLProgram, raster: Raster, looks: Uint32Array<ArrayBuffer>, texels: number) {
    this.#gl = gl;
    this.#info = raster.info;
    this.#program = program;
    this.#corners = gl.createBuffer();
    this.#array = gl.createVertexArray();
    this.cells = new Picture(gl, raster, looks.length, texels / window.devicePixelRatio);
    this.#looks = texture(gl, 1, gl.R32UI, COLUMNS, looks.length / COLUMNS);
    this.refresh(looks, 0, looks.length / COLUMNS - 1);
  }

  /** Send rows of the table again. */
  refresh(looks: Uint32Array<ArrayBuffer>, low: number, high: number): void {
    const gl = this.#gl;
    gl.activeTexture(gl.TEXTURE1);
    gl.bindTexture(gl.TEXTURE_2D, this.#looks);
    plainly(gl);
    gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, low, COLUMNS, high - low + 1, gl.RED_INTEGER, gl.UNSIGNED_INT, looks, low * COLUMNS);
  }

  draw({ defaultProjectionData }: CustomRenderMethodInput, parts: number, shade: number, texels: number): void {
    const gl = this.#gl;
    const { width, height, west, north, pixel } = this.#info;
    const matrix = defaultProjectionData.mainMatrix;
    gl.useProgram(this.#program);
    const ratio = gl.drawingBufferWidth / (gl.canvas as HTMLCanvasElement).clientWidth;
    const level = this.cells.bind(0, texels / ratio);
    gl.activeTexture(gl.TEXTURE1);
    gl.bindTexture(gl.TEXTURE_2D, this.#looks);
    // Corners are brought to the screen here: numbers of the graphics card are too short for it.
    const corners = [
      [0, 0],
      [width, 0],
      [0, height],
      [width, height],
    ].flatMap(([x = 0, y = 0]) => [...moved(matrix, west + x * pixel, north + y * pixel), x, y]);
    gl.bindVertexArray(this.#array);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.#corners);
    gl.bufferData(gl.ARRAY_BUFFER, new Float32Array(corners), gl.STREAM_DRAW);
    gl.enableVertexAttribArray(0);
    gl.enableVertexAttribArray(1);
    gl.vertexAttribPointer(0, 4, gl.FLOAT, false, 24, 0);
    gl.vertexAttribPointer(1, 2, gl.FLOAT, false, 24, 16);
    const near = Math.min(1, Math.max(0, 1.6 - Math.log2(Math.max(texels, 0.1))) / 2.2);
    gl.uniform1i(this.#place("cells"), 0);
    gl.uniform1i(this.#place("looks"), 1);
    gl.uniform2i(this.#place("size"), level.width, level.height);
    gl.uniform1f(this.#place("rough"), level.step);
    gl.uniform1ui(this.#place("none"), this.cells.none);
    gl.uniform1f(this.#place("reach"), texels * (HALF_PX[0] + near * (HALF_PX[1] - HALF_PX[0])));
    gl.uniform1f(this.#place("shade"), shade);
    gl.uniform1f(this.#place("scale"), ratio);
    gl.uniform1i(this.#place("parts"), parts);
    gl.uniform3fv(this.#place("fills"), [...FILLS, BORDER, CHOSEN, LOOSE, FRESH].flatMap(rgb));
    gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
    gl.bindVertexArray(null);
  }

  #place(name: string): WebGLUniformLocation | null {
    const known = this.#places.get(name);
    if (known !== undefined) return known;
    const found = this.#gl.getUniformLocation(this.#program, name);
    this.#places.set(name, found);
    return found;
  }
}

/** Strokes over cells in no grid. */
const LOOSE = "#b4552d";

/** Begin to make the program that draws the picture; nothing is asked of it yet, for that would wait until it is made. */
export function overviewProgram(gl: WebGL2RenderingContext): WebGLProgram {
  const program = gl.createProgram();
  for (const [kind, source] of [
    [gl.VERTEX_SHADER, VERTEX],
    [gl.FRAGMENT_SHADER, FRAGMENT],
  ] as const) {
    const shader = gl.createShader(kind);
    if (shader === null) throw new Error("no shader");
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.bindAttribLocation(program, 0, "corner");
  gl.bindAttribLocation(program, 1, "place");
  gl.linkProgram(program);
  return program;
}

function moved(m: ArrayLike<number>, x: number, y: number): number[] {
  return [0, 1, 2, 3].map((k) => (m[k] ?? 0) * x + (m[4 + k] ?? 0) * y + (m[12 + k] ?? 0));
}

function rgb(colour: string): number[] {
  return [1, 3, 5].map((k) => Number.parseInt(colour.slice(k, k + 2), 16) / 255);
}

function at(values: Uint32Array, k: number): number {
  return values[k] as number;
}
