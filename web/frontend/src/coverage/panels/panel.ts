import type { Api } from "../api";
import type { Buildings } from "../decode";
import type { CityMap } from "../map";
import type { Solver } from "../solver";
import type { State, Store } from "../state";

/** What panels work with; without WebGL2 there is no map. */
export interface Context {
  readonly store: Store;
  readonly api: Api;
  readonly solver: Solver;
  readonly buildings: Buildings;
  readonly map: CityMap | null;
}

/** A part of the page: an element, and how it follows the state. */
export interface Panel {
  readonly element: HTMLElement;
  render(now: State): void;
}
