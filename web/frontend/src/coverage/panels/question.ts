import type { Method } from "../api";
import { h, say } from "../../shared/dom";
import { known, number, t } from "../i18n";
import { choice } from "./choice";
import type { Context, Panel } from "./panel";

const MINUTES = [5, 8, 10, 15, 20] as const;
const FASTEST = 200;
const SLOWEST = 10;

type Pace = "adult" | "elderly" | "own";

/** Method, minutes, speed and time: what is asked. */
export function questionPanel({ store }: Context): Panel {
  const { speeds, windows, method_default } = store.now.overview;
  const walking: Method = method_default;
  const method = choice<Method>(
    "method",
    t("method"),
    [
      { value: walking, text: t(`method_${walking}`) },
      ...(walking === "circle" ? [] : [{ value: "circle" as const, text: t("method_circle") }]),
    ],
    (value) => store.ask({ method: value }),
  );
  const minutes = minutesSlider((value) => store.ask({ minutes: value }));
  let own = false;
  const pace = choice<Pace>(
    "pace",
    t("speed"),
    [
      { value: "adult", text: `${t("speed_adult")} ${number(speeds.adult, 1)}` },
      { value: "elderly", text: `${t("speed_elderly")} ${number(speeds.elderly, 1)}` },
      { value: "own", text: t("speed_own") },
    ],
    (value) => {
      own = value === "own";
      if (value === "own") {
        render();
        speed.focus();
      } else store.ask({ speed: speeds[value] });
    },
  );
  const speed = h("input", {
    type: "number",
    min: SLOWEST,
    max: FASTEST,
    step: "any",
    class: "own-speed",
    "aria-label": t("speed"),
    change: () => {
      if (speed.checkValidity() && speed.value !== "") store.ask({ speed: speed.valueAsNumber });
      else speed.reportValidity();
    },
  });
  const time = h(
    "select",
    { change: () => store.ask({ window: time.value === "" ? null : time.value }) },
    h("option", { value: "" }, t("window_any")),
    ...windows.map((name) => h("option", { value: name }, known(`window_${name}`) ? t(`window_${name}`) : name)),
  );
  const element = h(
    "section",
    { class: "part", "aria-labelledby": "question-title" },
    h("h2", { id: "question-title" }, t("question")),
    method.element,
    minutes.element,
    h("div", {}, pace.element, speed),
    h("label", {}, t("window"), time),
  );
  const render = (): void => {
    const { question } = store.now;
    method.set(question.method);
    minutes.set(question.minutes);
    const named = question.speed === speeds.adult ? "adult" : question.speed === speeds.elderly ? "elderly" : "own";
    pace.set(own ? "own" : named);
    speed.hidden = !own && named !== "own";
    if (document.activeElement !== speed) speed.value = String(question.speed);
    time.value = question.window ?? "";
  };
  return { element, render };
}

function minutesSlider(chosen: (value: number) => void): { element: HTMLElement; set(value: number): void } {
  const shown = h("output", { class: "value" });
  const describe = (value: number): void => {
    say(shown, t("minutes_unit", { n: value }));
    slider.setAttribute("aria-valuetext", t("minutes_unit", { n: value }));
  };
  const slider = h("input", {
    type: "range",
    id: "minutes",
    min: 0,
    max: MINUTES.length - 1,
    step: 1,
    input: () => describe(MINUTES[slider.valueAsNumber] ?? 15),
    change: () => chosen(MINUTES[slider.valueAsNumber] ?? 15),
  });
  const ticks = h("div", { class: "ticks", "aria-hidden": "true" }, ...MINUTES.map((n) => h("span", {}, String(n))));
  const label = h("label", { for: "minutes" }, t("minutes"), shown);
  return {
    element: h("div", { class: "minutes" }, label, slider, ticks),
    set: (value) => {
      const at = MINUTES.findIndex((n) => n === value);
      slider.value = String(at < 0 ? MINUTES.indexOf(15) : at);
      describe(value);
    },
  };
}
