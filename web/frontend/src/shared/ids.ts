const BYTES = 16;

/** Make an id that nobody else makes: 32 hexadecimal digits. Also where the page came without encryption. */
export function freshId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(BYTES));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
