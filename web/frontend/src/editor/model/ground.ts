/** The cells of a dataset as typed arrays: what they hold, and how they touch. */

export interface Place {
  readonly id: string;
  readonly name: string;
}

export interface Ground {
  /** Number of cells. */
  readonly cells: number;
  readonly communities: readonly Place[];
  readonly compounds: readonly Place[];
  /** Row of `communities`, of `compounds` (-1 none), and counts, by cell. */
  readonly community: Int32Array;
  readonly compound: Int32Array;
  readonly households: Int32Array;
  readonly persons: Int32Array;
  readonly buildings: Int32Array;
  readonly areaDm2: Float64Array;
  readonly outerMm: Int32Array;
  /** A point inside each cell, in steps of 1e-7 degree. */
  readonly lon: Int32Array;
  readonly lat: Int32Array;
  /** The neighbours of cell i are `neighbor[indptr[i]]` up to `neighbor[indptr[i + 1]]`, ascending. */
  readonly indptr: Int32Array;
  readonly neighbor: Int32Array;
  /** Number of the edge of each entry of `neighbor`; both directions of a pair have the same. */
  readonly edge: Int32Array;
  readonly edges: number;
  /** Edge k lies between cells `ends[2 * k]` and `ends[2 * k + 1]`; they are one where a division took the edge away. */
  readonly ends: Int32Array;
  /** By edge its length, and how much of it runs along a road, a river, a railway or a wall. */
  readonly lengthMm: Int32Array;
  readonly alongMm: Int32Array;
  /** The cells of compound k are `compoundCells[compoundPtr[k]]` up to `compoundCells[compoundPtr[k + 1]]`. */
  readonly compoundPtr: Int32Array;
  readonly compoundCells: Int32Array;
}

interface Header {
  readonly cells: number;
  readonly communities: readonly Place[];
  readonly compounds: readonly Place[];
  readonly arrays: Readonly<Record<string, { dtype: "int32" | "float64" | "uint8"; length: number; offset: number }>>;
}

export class GroundError extends Error {}

/** Read the binary answer of the service, with each pair of neighbours once: the length of a header, the header as JSON, then the arrays. */
export function readGround(bytes: ArrayBuffer): Ground {
  if (bytes.byteLength < 4) throw new GroundError("the ground is empty");
  const length = new DataView(bytes).getUint32(0, true);
  const start = 4 + length;
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(bytes, 4, length))) as Header;
  const int32 = (name: string): Int32Array<ArrayBuffer> => {
    const at = described(header, name, "int32");
    return new Int32Array(bytes, start + at.offset, at.length);
  };
  const area = described(header, "area_dm2", "float64");
  const compound = int32("compound");
  return {
    cells: header.cells,
    communities: header.communities,
    compounds: header.compounds,
    community: int32("community"),
    compound,
    households: int32("households"),
    persons: int32("persons"),
    buildings: int32("buildings"),
    areaDm2: new Float64Array(bytes, start + area.offset, area.length),
    outerMm: int32("outer_mm"),
    lon: int32("lon"),
    lat: int32("lat"),
    lengthMm: int32("length_mm"),
    alongMm: int32("along_mm"),
    ...bothWays(header.cells, int32("indptr"), int32("neighbor")),
    ...byCompound(compound, header.compounds.length),
  };
}

function described(header: Header, name: string, dtype: string): { length: number; offset: number } {
  const found = header.arrays[name];
  if (found === undefined || found.dtype !== dtype) throw new GroundError(`the ground lacks ${name}`);
  return found;
}

/** Set the neighbours after each cell beside those before it; edges are counted by the lower cell, then the upper one, as the tiles do. */
function bothWays(cells: number, first: Int32Array, after: Int32Array): Pick<Ground, "indptr" | "neighbor" | "edge" | "edges" | "ends"> {
  const edges = after.length;
  const indptr = new Int32Array(cells + 1);
  for (let cell = 0; cell < cells; cell += 1) indptr[cell + 1] = at(first, cell + 1) - at(first, cell);
  for (let k = 0; k < edges; k += 1) indptr[at(after, k) + 1] = at(indptr, at(after, k) + 1) + 1;
  for (let cell = 0; cell < cells; cell += 1) indptr[cell + 1] = at(indptr, cell + 1) + at(indptr, cell);
  const [neighbor, edge, ends] = [new Int32Array(2 * edges), new Int32Array(2 * edges), new Int32Array(2 * edges)];
  const next = indptr.slice(0, cells);
  const put = (cell: number, other: number, k: number): void => {
    const place = at(next, cell);
    neighbor[place] = other;
    edge[place] = k;
    next[cell] = place + 1;
  };
  // Cells come in ascending order: when one's turn comes, all neighbours before it have been written.
  for (let cell = 0; cell < cells; cell += 1) {
    for (let k = at(first, cell); k < at(first, cell + 1); k += 1) {
      const other = at(after, k);
      ends[2 * k] = cell;
      ends[2 * k + 1] = other;
      put(cell, other, k);
      put(other, cell, k);
    }
  }
  return { indptr, neighbor, edge, edges, ends };
}

/** List the cells of every compound. */
export function byCompound(compound: Int32Array, count: number): { compoundPtr: Int32Array; compoundCells: Int32Array } {
  const compoundPtr = new Int32Array(count + 1);
  for (const row of compound) if (row >= 0) compoundPtr[row + 1] = at(compoundPtr, row + 1) + 1;
  for (let k = 0; k < count; k += 1) compoundPtr[k + 1] = at(compoundPtr, k + 1) + at(compoundPtr, k);
  const place = compoundPtr.slice();
  const compoundCells = new Int32Array(at(compoundPtr, count));
  compound.forEach((row, cell) => {
    if (row < 0) return;
    compoundCells[at(place, row)] = cell;
    place[row] = at(place, row) + 1;
  });
  return { compoundPtr, compoundCells };
}

/** Read an entry that is there: typed arrays have no holes. */
export function at(values: Int32Array | Float64Array | Uint8Array | Uint16Array | Uint32Array, k: number): number {
  return values[k] as number;
}
