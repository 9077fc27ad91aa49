import type { Raster } from "./raster";

const SMALL = 0xffff;
const NO_CELL = 0xffffffff;
/** Pixels sent in one go: the page does not halt for so few. */
const PIECE = 1 << 19;
/** A rough picture has one pixel for at most so many times so many. */
const ROUGHEST = 8;

/** A picture on the graphics card, with one pixel for `step` times `step` of the whole one. */
interface Level {
  readonly texture: WebGLTexture;
  readonly step: number;
  readonly width: number;
  readonly height: number;
}

/**
 * The numbers of all cells on the graphics card.
 *
 * Sending every pixel would take longer than all else at a map's beginning, and the first view shows but a few of them:
 * it is drawn from a picture that is just fine enough for it, and the whole one is sent in pieces after that.
 */
export class Picture {
  /** Stands where there is no cell. */
  readonly none: number;
  readonly #gl: WebGL2RenderingContext;
  readonly #raster: Raster;
  readonly #few: boolean;
  #rough: Level | null = null;
  #whole: Level | null = null;
  /** Rows of the whole picture that were sent. */
  #rows = 0;

  /** `texels` says how many pixels of the whole picture the first view shows as one. */
  constructor(gl: WebGL2RenderingContext, raster: Raster, cells: number, texels: number) {
    this.#gl = gl;
    this.#raster = raster;
    this.#few = cells <= SMALL;
    this.none = this.#few ? SMALL : NO_CELL;
    const step = 2 ** Math.floor(Math.log2(Math.min(ROUGHEST, Math.max(1, texels))));
    if (step === 1) this.#send(raster.info.height);
    else this.#rough = this.#filled(step);
  }

  /** Bind the picture for a view that shows so many pixels of the whole one as one; return what to draw it with. */
  bind(unit: number, texels: number): Level {
    const gl = this.#gl;
    const enough = this.#rough !== null && texels >= this.#rough.step ? this.#rough : null;
    const level = enough ?? this.#send(this.#raster.info.height);
    gl.activeTexture(gl.TEXTURE0 + unit);
    gl.bindTexture(gl.TEXTURE_2D, level.texture);
    return level;
  }

  /** Send what is lacking of the whole picture piece by piece, and tell when nothing is. */
  refine(done: () => void): void {
    if (this.#rough === null || this.#gl.isContextLost()) return;
    const { width, height } = this.#raster.info;
    this.#send(Math.min(height, this.#rows + Math.ceil(PIECE / width)));
    if (this.#rows < height) window.setTimeout(() => this.refine(done));
    else done();
  }

  /** Send the whole picture up to a row; once all of it is there the rough one is not needed any more. */
  #send(end: number): Level {
    const { width, height } = this.#raster.info;
    const level = (this.#whole ??= this.#empty(1, width, height));
    this.#write(level, this.#rows, end);
    this.#rows = end;
    if (end === height && this.#rough !== null) {
      this.#gl.deleteTexture(this.#rough.texture);
      this.#rough = null;
    }
    return level;
  }

  #filled(step: number): Level {
    const { width, height } = this.#raster.shape(step);
    const level = this.#empty(step, width, height);
    this.#write(level, 0, height);
    return level;
  }

  #empty(step: number, width: number, height: number): Level {
    const gl = this.#gl;
    return { texture: texture(gl, 0, this.#few ? gl.R16UI : gl.R32UI, width, height), step, width, height };
  }

  #write({ texture: to, step, width }: Level, from: number, end: number): void {
    if (from >= end) return;
    const gl = this.#gl;
    const size = width * (end - from);
    const pixels = this.#raster.pixels(this.#few ? new Uint16Array(size) : new Uint32Array(size), this.none, step, from);
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D, to);
    plainly(gl);
    gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, from, width, end - from, gl.RED_INTEGER, this.#few ? gl.UNSIGNED_SHORT : gl.UNSIGNED_INT, pixels);
  }
}

/** Make a texture of numbers, which are never mixed. */
export function texture(gl: WebGL2RenderingContext, unit: number, form: number, width: number, height: number): WebGLTexture {
  const made = gl.createTexture();
  gl.activeTexture(gl.TEXTURE0 + unit);
  gl.bindTexture(gl.TEXTURE_2D, made);
  for (const name of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) gl.texParameteri(gl.TEXTURE_2D, name, gl.NEAREST);
  for (const name of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T]) gl.texParameteri(gl.TEXTURE_2D, name, gl.CLAMP_TO_EDGE);
  plainly(gl);
  gl.texStorage2D(gl.TEXTURE_2D, 1, form, width, height);
  return made;
}

/** Numbers are sent as they are, whatever was set for images before. */
export function plainly(gl: WebGL2RenderingContext): void {
  gl.bindBuffer(gl.PIXEL_UNPACK_BUFFER, null);
  gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
  gl.pixelStorei(gl.UNPACK_FLIP_Y_WEBGL, false);
  gl.pixelStorei(gl.UNPACK_PREMULTIPLY_ALPHA_WEBGL, false);
}
