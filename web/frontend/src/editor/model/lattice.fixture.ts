import type { GridRecord } from "./plan";

/** A ground of square cells with one household more in each, as the service would send it. */
export function lattice(wide: number, high: number): ArrayBuffer {
  const n = wide * high;
  const indptr = [0];
  const neighbor: number[] = [];
  const along: number[] = [];
  const outer: number[] = [];
  for (let cell = 0; cell < n; cell += 1) {
    const [x, y] = [cell % wide, Math.floor(cell / wide)];
    const beside = [
      [x, y - 1],
      [x - 1, y],
      [x + 1, y],
      [x, y + 1],
    ] as const;
    const inside = beside.filter(([u, v]) => u >= 0 && v >= 0 && u < wide && v < high);
    // Each pair at its lower cell, with its length the same seen from either side.
    const after = inside.filter(([u, v]) => v * wide + u > cell);
    neighbor.push(...after.map(([u, v]) => v * wide + u));
    along.push(...after.map(([u, v]) => ((u + v + x + y) % 4 === 1 ? 10_000 : 0)));
    indptr.push(neighbor.length);
    outer.push(10_000 * (4 - inside.length));
  }
  const cells = Array.from({ length: n }, (_, cell) => cell);
  return packed(n, {
    community: cells.map(() => 0),
    compound: cells.map((cell) => (cell < wide ? 0 : -1)),
    households: cells.map((cell) => cell + 1),
    persons: cells.map((cell) => 2 * (cell + 1)),
    buildings: cells.map(() => 1),
    area_dm2: cells.map(() => 10_000),
    indptr,
    neighbor,
    length_mm: neighbor.map(() => 10_000),
    along_mm: along,
    outer_mm: outer,
    lon: cells.map((cell) => (cell % wide) * 1000),
    lat: cells.map((cell) => Math.floor(cell / wide) * 1000),
  });
}

export function record(id: number, name = `${id}`): GridRecord {
  return { id, community: 0, code: `C-${id}`, name, locked: false, staff: 0, kind: "", note: "" };
}

function packed(cells: number, columns: Readonly<Record<string, readonly number[]>>): ArrayBuffer {
  const arrays: Record<string, { dtype: string; length: number; offset: number }> = {};
  let size = 0;
  for (const [name, values] of Object.entries(columns)) {
    const wide = name === "area_dm2";
    arrays[name] = { dtype: wide ? "float64" : "int32", length: values.length, offset: size };
    size += Math.ceil((values.length * (wide ? 8 : 4)) / 8) * 8;
  }
  const place = (id: string): { id: string; name: string } => ({ id, name: id });
  const text = JSON.stringify({ cells, communities: [place("A")], compounds: [place("P")], arrays });
  const header = new TextEncoder().encode(text.padEnd(Math.ceil((text.length + 4) / 8) * 8 - 4, " "));
  const bytes = new ArrayBuffer(4 + header.length + size);
  new DataView(bytes).setUint32(0, header.length, true);
  new Uint8Array(bytes, 4, header.length).set(header);
  for (const [name, values] of Object.entries(columns)) {
    const at = 4 + header.length + (arrays[name]?.offset ?? 0);
    if (name === "area_dm2") new Float64Array(bytes, at, values.length).set(values);
    else new Int32Array(bytes, at, values.length).set(values);
  }
  return bytes;
}
