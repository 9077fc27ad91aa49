type Listener<S> = (now: S, before: S) => void;

/** The one place where a page's state changes; who shows it is told what it was before. */
export class Store<S extends object> {
  #state: S;
  readonly #listeners: Listener<S>[] = [];

  constructor(first: S) {
    this.#state = first;
  }

  get now(): S {
    return this.#state;
  }

  subscribe(listener: Listener<S>): void {
    this.#listeners.push(listener);
  }

  set(patch: Partial<S>): void {
    const before = this.#state;
    this.#state = { ...before, ...patch };
    for (const listener of this.#listeners) listener(this.#state, before);
  }
}
