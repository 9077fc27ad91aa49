import { ApiError, type Job, type SitingAnswer, type SitingBody, type SitingModel } from "../api";
import { h, say } from "../../shared/dom";
import { either, known, number, percent, signed, t } from "../i18n";
import { type AddedStation, type State, askedChanges } from "../state";
import type { Context, Panel } from "./panel";

const POLL_MS = 400;
const MOST = 20;
const MODELS: readonly SitingModel[] = ["mclp", "lscp", "pmedian"];

/** Search for new sites: a first answer at once, then the proof, then onto the map. */
export function sitingPanel({ store, api }: Context): Panel {
  const { counts } = store.now.overview;
  const model = h("select", { change: () => render(store.now) }, ...MODELS.map((name) => h("option", { value: name }, t(`model_${name}`))));
  const p = h("input", { type: "number", min: 1, max: MOST, step: 1, value: 1, required: true });
  const count = h("label", {}, t("siting_p"), p);
  const kinds = counts.candidates > 0 ? ["layer", "buildings", "cells"] : ["buildings", "cells"];
  const candidates = h("select", {}, ...kinds.map((name) => h("option", { value: name }, t(`candidates_${name}`))));
  const capacity = h("input", { type: "number", min: 1, step: 1, placeholder: t("siting_capacity_none") });
  const start = h("button", { class: "button primary" }, t("siting_start"));
  const choose = h("p", { class: "hint" }, t("siting_choose_category"));
  const streets = h("p", { class: "muted", hidden: true }, t("siting_scenario"));
  const form = h(
    "form",
    { class: "stack", submit: (event) => void begin(event) },
    h("label", {}, t("siting_model"), model),
    h("div", { class: "pair" }, count, h("label", {}, t("siting_capacity"), capacity)),
    h("label", {}, t("siting_candidates"), candidates),
    choose,
    streets,
    start,
  );
  const bar = h("progress", { max: 100, "aria-label": t("siting_running") });
  const stage = h("span");
  const stop = h("button", { type: "button", class: "link" }, t("cancel"));
  const running = h("div", { class: "running", hidden: true }, bar, stage, stop);
  const message = h("p", { class: "hint", role: "status" });
  const outcome = h("div", { class: "outcome" });
  const element = h("section", { class: "stack", "aria-label": t("siting") }, h("h2", {}, t("siting")), form, running, message, outcome);
  let job: string | null = null;
  stop.addEventListener("click", () => {
    if (job !== null) void api.cancel(job).catch((error: unknown) => say(message, wording(error)));
  });

  const begin = async (event: Event): Promise<void> => {
    event.preventDefault();
    const { question, edits } = store.now;
    if (question.category === null || job !== null) return;
    const body: SitingBody = {
      model: model.value as SitingModel,
      p: p.valueAsNumber,
      category: question.category,
      minutes: question.minutes,
      speed: question.speed,
      method: question.method === "circle" ? "circle" : "network",
      candidates: candidates.value,
      capacity: capacity.value === "" ? null : capacity.valueAsNumber,
      ...askedChanges(edits),
    };
    say(message, "");
    outcome.replaceChildren();
    running.hidden = false;
    start.disabled = true;
    try {
      const queued = await api.site(body);
      job = queued.id;
      await follow(queued, question.category);
    } catch (error) {
      say(message, wording(error));
    }
    job = null;
    running.hidden = true;
    render(store.now);
  };

  const follow = async (first: Job, category: number): Promise<void> => {
    let now = first;
    while (now.state === "queued" || now.state === "running") {
      bar.value = now.progress.percent;
      const name = now.state === "queued" ? "stage_queued" : `stage_${now.progress.stage}`;
      say(stage, known(name) ? t(name) : t("siting_running"));
      if (now.answer) outcome.replaceChildren(result(now.answer, category, null));
      await new Promise((resolve) => window.setTimeout(resolve, POLL_MS));
      now = await api.job(now.id);
    }
    if (now.state !== "done") {
      const text = now.error === null ? t("siting_failed") : either(now.error.zh, now.error.en);
      say(message, now.state === "cancelled" ? t("siting_cancelled") : text);
      return;
    }
    if (now.answer) outcome.replaceChildren(result(now.answer, category, apply));
  };

  const apply = (answer: SitingAnswer, category: number): void => {
    const { edits, overview } = store.now;
    const name = overview.categories[category]?.name ?? "";
    const sites = answer.sites.map(
      (site, k): AddedStation => ({
        lon: site.lon,
        lat: site.lat,
        category,
        name: site.name === "" ? t("site_name", { n: k + 1, category: name }) : site.name,
      }),
    );
    store.change({ ...edits, added: [...edits.added, ...sites] });
    say(message, t("applied"));
  };

  const render = ({ question, edits }: State): void => {
    streets.hidden = edits.gates.length + edits.bridges.length + edits.paths.length === 0;
    count.hidden = model.value === "lscp";
    choose.hidden = question.category !== null;
    start.disabled = question.category === null || job !== null;
  };
  return { element, render };
}

type Apply = (answer: SitingAnswer, category: number) => void;

function result(answer: SitingAnswer, category: number, apply: Apply | null): HTMLElement {
  if (answer.sites.length === 0) return h("p", { class: "hint" }, t("siting_none"));
  const { before, after } = answer;
  const share = (covered: number): string => percent(before.households === 0 ? null : covered / before.households);
  const rows = answer.sites.map((site, k) =>
    h("tr", {}, h("th", { scope: "row" }, `${k + 1}. ${site.name}`), h("td", { class: "num" }, signed(site.gain))),
  );
  const put = h("button", { type: "button", class: "button primary", "data-apply": true }, t("siting_apply"));
  put.addEventListener("click", () => {
    put.disabled = true;
    apply?.(answer, category);
  });
  return h(
    "div",
    { class: "stack" },
    h("p", { class: answer.proved ? "tag good" : "tag info" }, verdict(answer)),
    h(
      "table",
      { class: "plain compare" },
      h("thead", {}, h("tr", {}, ...["covered", "before", "after", "difference"].map((key) => h("th", { scope: "col", class: "num" }, t(key))))),
      h(
        "tbody",
        {},
        compared(t("households"), number(before.covered), number(after.covered), signed(after.covered - before.covered)),
        compared(t("share"), share(before.covered), share(after.covered), points(before, after)),
      ),
    ),
    h(
      "table",
      { class: "plain sites" },
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t("site")), h("th", { scope: "col", class: "num" }, t("gain")))),
      h("tbody", {}, ...rows),
    ),
    apply === null ? null : put,
  );
}

function compared(name: string, ...values: readonly string[]): HTMLElement {
  return h("tr", {}, h("th", { scope: "row" }, name), ...values.map((value) => h("td", { class: "num" }, value)));
}

function points(before: SitingAnswer["before"], after: SitingAnswer["after"]): string {
  if (before.households === 0) return "–";
  const by = (100 * (after.covered - before.covered)) / before.households;
  return `${by < 0 ? "−" : "+"}${number(Math.abs(by), 1)}`;
}

function verdict(answer: SitingAnswer): string {
  if (answer.proved) return t("siting_proved");
  if (!answer.done || answer.gap_percent === null) return t("siting_greedy");
  return t("siting_gap", { n: number(answer.gap_percent, 2) });
}

function wording(error: unknown): string {
  return error instanceof ApiError ? error.message : String(error);
}
