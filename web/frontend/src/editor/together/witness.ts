import type { Session } from "../session";

const OFFSET = 0x811c9dc5;
const PRIME = 0x01000193;
const WAIT_MS = 30;
const VIEW_DIGITS = 8;

/** A number that two plans share when every cell is in the same grid: FNV-1a over whole 32-bit numbers. */
export function checksum(assignment: Int32Array): string {
  let sum = OFFSET;
  for (const grid of assignment) sum = Math.imul(sum ^ grid, PRIME);
  return (sum >>> 0).toString(16).padStart(8, "0");
}

/** Write on the stage which plan it shows once nothing is on its way, so that it can be held against the service; and where it looks. */
export function witness(session: Session, stage: HTMLElement): void {
  let waiting = 0;
  const write = (): void => {
    waiting = 0;
    const { sync } = session.store.now;
    stage.dataset["waiting"] = String(sync.waiting);
    if (session.trying) return;
    stage.dataset["revision"] = String(session.sync.revision);
    stage.dataset["checksum"] = checksum(session.plan.assignment);
  };
  session.store.subscribe((now, before) => {
    if (now.version !== before.version || now.sync !== before.sync) waiting ||= window.setTimeout(write, WAIT_MS);
  });
  const { gl } = session.map;
  const view = (): void => {
    const { lng, lat } = gl.getCenter();
    // Rounded, so that the same view reads the same however it was reached.
    stage.dataset["view"] = `${lng.toFixed(VIEW_DIGITS)},${lat.toFixed(VIEW_DIGITS)},${gl.getZoom().toFixed(VIEW_DIGITS)}`;
  };
  gl.on("moveend", view);
  view();
  write();
}
