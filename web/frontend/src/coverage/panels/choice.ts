import { h } from "../../shared/dom";

export interface Option<T> {
  readonly value: T;
  readonly text: string;
}

export interface Choice<T> {
  readonly element: HTMLFieldSetElement;
  set(value: T): void;
}

/** Radio buttons in a row; arrow keys choose. */
export function choice<T extends string>(
  name: string,
  legend: string,
  options: readonly Option<T>[],
  chosen: (value: T) => void,
): Choice<T> {
  const inputs = options.map(({ value }) =>
    h("input", { type: "radio", name, value, change: () => chosen(value) }),
  );
  const labels = options.map(({ text }, k) => h("label", {}, inputs[k] ?? null, h("span", {}, text)));
  const element = h("fieldset", { class: "segments" }, h("legend", {}, legend), h("div", {}, ...labels));
  return {
    element,
    set: (value) => {
      for (const input of inputs) input.checked = input.value === value;
    },
  };
}
