const STEP = 2;
const LEAP = 10;

/** Where the divider goes by a key, percent of the width; null for any other key. */
export function stepped(share: number, key: string): number | null {
  const to: Readonly<Record<string, number>> = {
    ArrowLeft: share - STEP,
    ArrowDown: share - STEP,
    ArrowRight: share + STEP,
    ArrowUp: share + STEP,
    PageDown: share - LEAP,
    PageUp: share + LEAP,
    Home: 0,
    End: 100,
  };
  const wanted = to[key];
  return wanted === undefined ? null : within(wanted);
}

/** Keep a share between nothing and all. */
export function within(share: number): number {
  return Math.min(100, Math.max(0, share));
}
