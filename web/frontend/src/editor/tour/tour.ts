import { h, say } from "../../shared/dom";
import { t } from "../../shared/i18n";

const SEEN = "wangge-tour";
const GAP_PX = 14;
const EDGE_PX = 8;
const LINE_PX = 80;
const AIR_PX = 6;

const STEPS = [
  { name: "tools", target: ".toolbar" },
  { name: "map", target: ".stage" },
  { name: "verdict", target: ".verdict .facts" },
  { name: "table", target: "#panel-grids" },
  { name: "helpers", target: ".side .tabs" },
] as const;

/** Whether the tour was opened in this browser before. */
export function tourSeen(): boolean {
  try {
    return window.localStorage.getItem(SEEN) !== null;
  } catch {
    return true;
  }
}

function remember(): void {
  try {
    window.localStorage.setItem(SEEN, "seen");
  } catch {
    // It is shown again next time.
  }
}

/** Five steps through the page, each beside what it speaks of. The dialog keeps the focus, and Esc ends it. */
export class Tour {
  readonly element: HTMLDialogElement;
  readonly #page: HTMLElement;
  readonly #card: HTMLElement;
  readonly #ring = h("div", { class: "tour-ring", "aria-hidden": "true" });
  readonly #title = h("h2", { id: "tour-title" });
  readonly #text = h("p", { id: "tour-text" });
  readonly #count = h("span", { class: "muted" });
  readonly #back: HTMLButtonElement;
  readonly #next: HTMLButtonElement;
  #step = 0;
  #from: Element | null = null;

  constructor(page: HTMLElement) {
    this.#page = page;
    const button = (kind: string, act: () => void): HTMLButtonElement => h("button", { type: "button", class: kind, click: act });
    this.#back = button("button", () => this.#show(this.#step - 1));
    this.#next = button("button primary", () => (this.#step + 1 < STEPS.length ? this.#show(this.#step + 1) : this.element.close()));
    const skip = button("link", () => this.element.close());
    say(skip, t("tour_skip"));
    say(this.#back, t("tour_back"));
    this.#card = h("div", { class: "tour-card" }, this.#title, this.#text, h("div", { class: "inline" }, this.#count, skip, this.#back, this.#next));
    this.element = h("dialog", { class: "tour", "aria-labelledby": "tour-title", "aria-describedby": "tour-text", close: () => this.#closed() }, this.#ring, this.#card);
    window.addEventListener("resize", () => {
      if (this.element.open) this.#show(this.#step);
    });
  }

  open(): void {
    if (this.element.open) return;
    remember();
    this.#from = document.activeElement;
    this.element.showModal();
    this.#show(0);
    this.#next.focus();
  }

  #show(step: number): void {
    this.#step = step;
    const { name, target } = STEPS[step] as (typeof STEPS)[number];
    say(this.#title, t(`tour_${name}_title`));
    say(this.#text, t(`tour_${name}`));
    say(this.#count, t("tour_step", { k: step + 1, n: STEPS.length }));
    say(this.#next, t(step + 1 < STEPS.length ? "tour_next" : "tour_done"));
    this.#back.disabled = step === 0;
    this.element.dataset["step"] = name;
    this.#place(this.#page.querySelector(target)?.getBoundingClientRect() ?? new DOMRect());
  }

  /** Ring what is spoken of, and put the card where there is most room beside it. */
  #place(box: DOMRect): void {
    const ring = this.#ring.style;
    // A line of text needs air around it; a panel goes to the edge of the page as it is.
    const air = box.height < LINE_PX ? AIR_PX : 0;
    ring.left = `${box.left - air}px`;
    ring.top = `${box.top - air}px`;
    ring.width = `${box.width + 2 * air}px`;
    ring.height = `${box.height + 2 * air}px`;
    const [wide, high] = [this.#card.offsetWidth, this.#card.offsetHeight];
    const [x, y] = beside(box, wide, high);
    const within = (value: number, most: number): number => Math.max(EDGE_PX, Math.min(value, most - EDGE_PX));
    this.#card.style.left = `${within(x, window.innerWidth - wide)}px`;
    this.#card.style.top = `${within(y, window.innerHeight - high)}px`;
  }

  #closed(): void {
    if (this.#from instanceof HTMLElement) this.#from.focus();
  }
}

/** Return the corner of a card right of, left of, below or in the middle of a box, whichever fits first. */
function beside(box: DOMRect, wide: number, high: number): readonly [number, number] {
  if (window.innerWidth - box.right > wide + 2 * GAP_PX) return box.height > high ? [box.right + GAP_PX, box.top + GAP_PX] : [box.left, box.bottom + GAP_PX];
  if (box.height < window.innerHeight / 3 && window.innerHeight - box.bottom > high + 2 * GAP_PX) return [box.left, box.bottom + GAP_PX];
  if (box.left > wide + 2 * GAP_PX && box.width < window.innerWidth / 2) return [box.left - wide - GAP_PX, box.top + GAP_PX];
  return [box.left + (box.width - wide) / 2, box.top + (box.height - high) / 2];
}
