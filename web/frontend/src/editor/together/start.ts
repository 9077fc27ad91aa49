import { leave } from "../memory";
import type { Session } from "../session";
import { watchConnection } from "./offline";
import { witness } from "./witness";

/** Keep the page in step with the service, lose nothing while it is away, and show which plan is seen. */
export function keepInStep(session: Session, body: HTMLElement, stage: HTMLElement): void {
  watchConnection(session, body);
  witness(session, stage);
  window.addEventListener("pagehide", () => leave(session.info.id));
}
