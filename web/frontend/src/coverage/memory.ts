import { type Edits, type Question, type State } from "./state";

const LONGEST = 60;

type Written = Omit<Edits, "moved" | "removed"> & {
  readonly moved: readonly (readonly [number, readonly [number, number]])[];
  readonly removed: readonly number[];
};

interface Kept {
  readonly question: Question;
  /** Every step up to now, the present last. */
  readonly steps: readonly Written[];
}

const key = (project: string): string => `wangge-coverage-${project}`;

/** Keep the question and the changes for this tab, so that switching the language loses nothing. */
export function keep(project: string, { question, past, edits }: State): void {
  const steps = [...past, edits].slice(-LONGEST);
  const kept: Kept = {
    question,
    steps: steps.map((step) => ({ ...step, moved: [...step.moved], removed: [...step.removed] })),
  };
  try {
    window.sessionStorage.setItem(key(project), JSON.stringify(kept));
  } catch {
    // A browser that keeps nothing forgets at the next page; the figures stay right.
  }
}

/** Return the first state with what this tab was asking before, as far as the project still has it. */
export function recall(project: string, first: State): State {
  try {
    const text = window.sessionStorage.getItem(key(project));
    if (text === null) return first;
    const { question, steps } = JSON.parse(text) as Kept;
    if (!fits(question, steps, first)) return first;
    const line = steps.map(
      (step): Edits => ({ ...step, moved: new Map(step.moved), removed: new Set(step.removed) }),
    );
    return { ...first, question, past: line.slice(0, -1), edits: line.at(-1) ?? first.edits };
  } catch {
    return first;
  }
}

function fits(question: Question, steps: readonly Written[], { overview }: State): boolean {
  const named = (id: number | null): boolean => id === null || id < overview.categories.length;
  const there = (row: number): boolean => row < overview.stations.length;
  return (
    named(question.category) &&
    steps.every(
      (step) =>
        step.added.every((item) => named(item.category)) &&
        step.moved.every(([row]) => there(row)) &&
        step.removed.every(there),
    )
  );
}
