import type { State } from "../store";

/** A part of the page that follows the state. */
export interface Panel {
  readonly element: HTMLElement;
  render(now: State, before: State | null): void;
}
