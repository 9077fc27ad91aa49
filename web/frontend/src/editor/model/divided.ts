import { type Ground, at, byCompound } from "./ground";

/** A division in force, as the service tells it. */
export interface DivisionInfo {
  readonly parent: number;
  readonly children: readonly {
    readonly cell: number;
    readonly households: number;
    readonly persons: number;
    readonly buildings: number;
    readonly area_dm2: number;
    readonly outer_mm: number;
  }[];
  /** Cell, neighbour, millimetres; every adjacency of the children once. */
  readonly edges: readonly (readonly [number, number, number])[];
  readonly outlines: readonly { readonly cell: number; readonly coordinates: readonly (readonly (readonly [number, number])[])[] }[];
}

interface Pair {
  readonly a: number;
  readonly b: number;
  readonly length: number;
  readonly along: number;
  /** Number in the tiles; -1 for a pair that came with a division. */
  readonly edge: number;
}

/** Put the divisions in force into a ground: their children follow the cells of the dataset, the parents retire. */
export function withDivisions(base: Ground, cells: number, divisions: readonly DivisionInfo[]): Ground {
  if (cells === base.cells) return base;
  const grown = grow(base, cells);
  const pairs = pairsOf(base);
  for (const division of divisions) {
    for (const { cell, ...facts } of division.children) {
      grown.community[cell] = at(grown.community, division.parent);
      grown.compound[cell] = at(grown.compound, division.parent);
      grown.households[cell] = facts.households;
      grown.persons[cell] = facts.persons;
      grown.buildings[cell] = facts.buildings;
      grown.areaDm2[cell] = facts.area_dm2;
      grown.outerMm[cell] = facts.outer_mm;
      const ring = division.outlines.find((outline) => outline.cell === cell)?.coordinates[0] ?? [];
      grown.lon[cell] = mean(ring, 0) * 1e7;
      grown.lat[cell] = mean(ring, 1) * 1e7;
    }
    retire(grown, division.parent);
    for (const [key, pair] of pairs) if (pair.a === division.parent || pair.b === division.parent) pairs.delete(key);
    for (const [a, b, length] of division.edges) {
      const [low, high] = a < b ? [a, b] : [b, a];
      pairs.set(`${low} ${high}`, { a: low, b: high, length, along: 0, edge: -1 });
    }
  }
  return { ...base, ...grown, cells, ...connected(cells, [...pairs.values()], base.edges), ...byCompound(grown.compound, base.compounds.length) };
}

type Columns = Pick<Ground, "community" | "compound" | "households" | "persons" | "buildings" | "areaDm2" | "outerMm" | "lon" | "lat">;

function grow(base: Ground, cells: number): Columns {
  const ints = (values: Int32Array): Int32Array => {
    const longer = new Int32Array(cells);
    longer.set(values);
    return longer;
  };
  const areaDm2 = new Float64Array(cells);
  areaDm2.set(base.areaDm2);
  const compound = ints(base.compound).fill(-1, base.cells);
  return {
    community: ints(base.community),
    compound,
    households: ints(base.households),
    persons: ints(base.persons),
    buildings: ints(base.buildings),
    areaDm2,
    outerMm: ints(base.outerMm),
    lon: ints(base.lon).fill(at(base.lon, 0), base.cells),
    lat: ints(base.lat).fill(at(base.lat, 0), base.cells),
  };
}

function retire(ground: Columns, cell: number): void {
  for (const column of [ground.households, ground.persons, ground.buildings, ground.areaDm2, ground.outerMm]) column[cell] = 0;
  ground.compound[cell] = -1;
}

function pairsOf(base: Ground): Map<string, Pair> {
  const pairs = new Map<string, Pair>();
  for (let edge = 0; edge < base.edges; edge += 1) {
    const [a, b] = [at(base.ends, 2 * edge), at(base.ends, 2 * edge + 1)];
    pairs.set(`${a} ${b}`, { a, b, length: at(base.lengthMm, edge), along: at(base.alongMm, edge), edge });
  }
  return pairs;
}

function connected(cells: number, pairs: readonly Pair[], known: number): Pick<Ground, "indptr" | "neighbor" | "lengthMm" | "alongMm" | "edge" | "edges" | "ends"> {
  let edges = known;
  const numbered = pairs.map((pair) => ({ ...pair, edge: pair.edge < 0 ? edges++ : pair.edge }));
  const both = numbered.flatMap((pair) => [pair, { ...pair, a: pair.b, b: pair.a }]);
  both.sort((p, q) => p.a - q.a || p.b - q.b);
  const indptr = new Int32Array(cells + 1);
  for (const { a } of both) indptr[a + 1] = at(indptr, a + 1) + 1;
  for (let k = 0; k < cells; k += 1) indptr[k + 1] = at(indptr, k + 1) + at(indptr, k);
  const [ends, lengthMm, alongMm] = [new Int32Array(2 * edges), new Int32Array(edges), new Int32Array(edges)];
  for (const { a, b, length, along, edge } of numbered) {
    ends.set([a, b], 2 * edge);
    lengthMm[edge] = length;
    alongMm[edge] = along;
  }
  return { indptr, neighbor: Int32Array.from(both, ({ b }) => b), edge: Int32Array.from(both, ({ edge }) => edge), edges, ends, lengthMm, alongMm };
}

function mean(ring: readonly (readonly [number, number])[], k: 0 | 1): number {
  return ring.reduce((sum, point) => sum + point[k], 0) / Math.max(1, ring.length);
}
