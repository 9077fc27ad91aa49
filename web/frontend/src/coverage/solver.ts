import { type Answer, type Api, ApiError } from "./api";
import { type Edits, NO_EDITS, type Question, type State, type Store, isChanged, shown, solveBody } from "./state";

/** An answer and the question it answers. */
export interface Known {
  readonly key: string;
  readonly answer: Answer;
}

/** Ask for the figures whenever the question or a station changes; the latest question wins. */
export class Solver {
  readonly #api: Api;
  readonly #store: Store;
  #running = false;
  #again = false;
  #baseline: Known | null = null;
  /** What came out for changes made so far, to tell what each of them gained. */
  readonly known = new WeakMap<Edits, Known>();

  constructor(api: Api, store: Store) {
    this.#api = api;
    this.#store = store;
    store.subscribe((now, before) => {
      const asked =
        now.question !== before.question || now.edits !== before.edits || now.draft !== before.draft;
      if (asked) void this.solve();
    });
  }

  async solve(): Promise<void> {
    this.#again = true;
    if (this.#running) return;
    this.#running = true;
    this.#store.set({ busy: true });
    while (this.#again) {
      this.#again = false;
      await this.#once(this.#store.now);
    }
    this.#running = false;
    this.#store.set({ busy: false });
  }

  /** While circles are shown, ask what the walk says as well. */
  async #beside({ question, edits, overview }: State): Promise<void> {
    if (overview.method_default === "circle" || this.#again) return;
    const walk = await this.#api.solve(solveBody({ ...question, method: overview.method_default }, edits, false));
    if (sameQuestion(question, this.#store.now.question)) this.#store.set({ walk });
  }

  async #once(asked: State): Promise<void> {
    const { question, draft } = asked;
    const edits = shown(asked);
    try {
      const key = JSON.stringify(question);
      if (isChanged(edits) && this.#baseline?.key !== key) {
        const answer = await this.#api.solve(solveBody(question, NO_EDITS, false));
        this.#baseline = { key, answer };
      }
      const found = await this.#api.solve(solveBody(question, edits, draft === null));
      if (!isChanged(edits)) this.#baseline = { key, answer: found };
      // An answer to a question that is not asked any more would flash wrong figures.
      if (!sameQuestion(question, this.#store.now.question)) return;
      const before = this.#store.now.answer;
      const answer = draft === null ? found : { ...found, gaps: before?.gaps ?? [] };
      this.known.set(edits, { key, answer: found });
      this.#store.set({ answer, baseline: this.#baseline?.answer ?? null, walk: null, fault: null });
      if (question.method === "circle" && draft === null) await this.#beside(asked);
    } catch (error) {
      if (this.#again) return;
      this.#store.set({ fault: error instanceof ApiError ? error.message : String(error) });
    }
  }
}

function sameQuestion(a: Question, b: Question): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
