import { h, say } from "../../shared/dom";
import { number, percent, signed, t } from "../i18n";
import { type State, coveredOf, isChanged, shown } from "../state";
import type { Context, Panel } from "./panel";

const SPEAK_MS = 700;

/** The figures of the question in one line, and what the circle makes of it. */
export function headlinePanel({ solver }: Context): Panel {
  const name = h("p", { class: "eyebrow" });
  const share = h("p", { class: "big" });
  const line = h("p", { class: "covered" });
  const change = h("p", { class: "change" });
  const circle = h("p", { class: "circle" });
  const aside = h("p", { class: "muted" });
  const busy = h("span", { class: "busy", "aria-hidden": "true" }, t("solving"));
  const spoken = h("p", { class: "hidden", role: "status", "aria-live": "polite" });
  const fault = h("p", { class: "message" });
  const retry = h("button", { type: "button", class: "button", click: () => void solver.solve() }, t("retry"));
  const failed = h("div", { class: "notice error", role: "alert", hidden: true }, fault, retry);
  const element = h(
    "section",
    { class: "headline", "aria-label": t("results") },
    h("div", { class: "figure" }, name, share),
    h("div", { class: "told" }, h("div", { class: "counts" }, line, change, busy), circle, aside),
    spoken,
    failed,
  );
  let timer = 0;
  const render = (now: State): void => {
    busy.classList.toggle("on", now.busy);
    failed.hidden = now.fault === null;
    say(fault, now.fault ?? "");
    const { answer, baseline, overview, question } = now;
    if (answer === null) return;
    const { covered, households } = coveredOf(answer, question.category);
    const what = question.category === null ? t("all_categories") : (overview.categories[question.category]?.name ?? "");
    say(name, `${what} · ${t("minutes_unit", { n: question.minutes })}`);
    say(share, percent(households === 0 ? null : covered / households));
    say(line, t("covered_line", { covered, all: households }));
    line.dataset["covered"] = String(covered);
    const old = baseline === null || !isChanged(shown(now)) ? covered : coveredOf(baseline, question.category).covered;
    const differs = isChanged(shown(now));
    say(change, differs ? signed(covered - old) : "");
    change.title = differs ? t("against_before", { n: old }) : "";
    change.classList.toggle("less", covered < old);
    say(circle, circleSentence(now));
    circle.classList.toggle("strong", answer.method === "circle");
    const total = answer.totals.find((item) => item.category === question.category);
    const { off_network: off, island } = total?.unreachable ?? { off_network: 0, island: 0 };
    say(aside, off + island > 0 ? t("unreachable_line", { off, island }) : "");
    window.clearTimeout(timer);
    timer = window.setTimeout(() => {
      const news = [name, share, line, change].map((part) => part.textContent ?? "");
      say(spoken, news.filter((text) => text !== "").join(" "));
    }, SPEAK_MS);
  };
  return { element, render };
}

/** Say in one sentence what the circle gets wrong. */
function circleSentence({ answer, baseline, question, walk }: State): string {
  if (answer === null) return "";
  if (question.category === null) return t("circle_unknown");
  const total = answer.totals.find((item) => item.category === question.category);
  if (total === undefined) return "";
  if (answer.method === "circle") {
    const beside = walk?.totals.find((item) => item.category === question.category);
    const over = beside?.circle.wrongly_in ?? 0;
    return beside === undefined ? "" : t("circle_over_by", { n: number(over), m: question.minutes });
  }
  const { wrongly_in: n } = total.circle;
  return n > 0 ? t("circle_overcounts", { n, m: number(question.minutes, 1) }) : baseline === null ? "" : t("circle_exact");
}
