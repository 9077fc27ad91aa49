const RECORD_BYTES = 16;
const DEGREES = 1e-7;

/** No station can be walked to. */
export const NO_WAY = 65535;

export const ON_NETWORK = 0;
export const OFF_NETWORK = 1;
export const ISLAND = 2;

/** Buildings in the order of the model, one array a column. */
export interface Buildings {
  readonly count: number;
  readonly lon: Float64Array;
  readonly lat: Float64Array;
  readonly households: Int32Array;
  readonly community: Int16Array;
  readonly state: Int16Array;
}

/** Read the 16-byte records of the buildings. */
export function readBuildings(bytes: ArrayBuffer): Buildings {
  const view = new DataView(bytes);
  const count = Math.floor(bytes.byteLength / RECORD_BYTES);
  const found = {
    count,
    lon: new Float64Array(count),
    lat: new Float64Array(count),
    households: new Int32Array(count),
    community: new Int16Array(count),
    state: new Int16Array(count),
  };
  for (let row = 0; row < count; row += 1) {
    const at = row * RECORD_BYTES;
    found.lon[row] = view.getInt32(at, true) * DEGREES;
    found.lat[row] = view.getInt32(at + 4, true) * DEGREES;
    found.households[row] = view.getInt32(at + 8, true);
    found.community[row] = view.getInt16(at + 12, true);
    found.state[row] = view.getInt16(at + 14, true);
  }
  return found;
}

/** Read bytes from base64. */
export function readBytes(text: string): Uint8Array {
  const raw = atob(text);
  const bytes = new Uint8Array(raw.length);
  for (let k = 0; k < raw.length; k += 1) bytes[k] = raw.charCodeAt(k);
  return bytes;
}

/** Read little-endian hundredths of a minute, one per building. */
export function readHundredths(text: string): Uint16Array {
  const bytes = readBytes(text);
  const view = new DataView(bytes.buffer);
  const values = new Uint16Array(bytes.length / 2);
  for (let k = 0; k < values.length; k += 1) values[k] = view.getUint16(2 * k, true);
  return values;
}
