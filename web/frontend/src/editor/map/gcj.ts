/** GCJ-02, the shifted coordinates of Gaode and Tencent maps: the published formula, as the service has it too. */

const AXIS_M = 6378245;
const FLATTENING = 0.006693421622965943;
const HALF_TURN = 180 / Math.PI;

/** Shift WGS 84 degrees to GCJ-02; places outside China are left alone, as the map services do. */
export function toGcj02(lon: number, lat: number): readonly [number, number] {
  if (lon < 72.004 || lon > 137.8347 || lat < 0.8293 || lat > 55.8271) return [lon, lat];
  const [x, y] = [lon - 105, lat - 35];
  const wave = 20 * (sin(6 * x) + sin(2 * x));
  let north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * Math.sqrt(Math.abs(x));
  north += ((wave + 20 * sin(y) + 40 * sin(y / 3)) * 2) / 3;
  north += ((160 * sin(y / 12) + 320 * sin(y / 30)) * 2) / 3;
  let east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * Math.sqrt(Math.abs(x));
  east += ((wave + 20 * sin(x) + 40 * sin(x / 3)) * 2) / 3;
  east += ((150 * sin(x / 12) + 300 * sin(x / 30)) * 2) / 3;
  const phi = lat / HALF_TURN;
  const magic = 1 - FLATTENING * Math.sin(phi) ** 2;
  const root = Math.sqrt(magic);
  const dlat = (north / ((AXIS_M * (1 - FLATTENING)) / (magic * root))) * HALF_TURN;
  const dlon = (east / ((AXIS_M / root) * Math.cos(phi))) * HALF_TURN;
  return [lon + dlon, lat + dlat];
}

/** Return where a place lies on the map of the world, in tiles of a zoom: columns from the west, rows from the north. */
export function tileAt(lon: number, lat: number, zoom: number): readonly [number, number] {
  const phi = lat / HALF_TURN;
  const all = 2 ** zoom;
  return [((lon + 180) / 360) * all, ((1 - Math.asinh(Math.tan(phi)) / Math.PI) / 2) * all];
}

/** Return how far the middle of a tile lies on a map in GCJ-02 from where it is, in tiles. */
export function offsetOf(zoom: number, column: number, row: number): readonly [number, number] {
  const all = 2 ** zoom;
  const [x, y] = [column + 0.5, row + 0.5];
  const lon = (x / all) * 360 - 180;
  const lat = Math.atan(Math.sinh(Math.PI * (1 - (2 * y) / all))) * HALF_TURN;
  const [u, v] = tileAt(...toGcj02(lon, lat), zoom);
  return [u - x, v - y];
}

function sin(halfTurns: number): number {
  return Math.sin(halfTurns * Math.PI);
}
