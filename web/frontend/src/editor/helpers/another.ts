import { h } from "../../shared/dom";
import { either, number, t } from "../../shared/i18n";
import { ApiError } from "../api";
import { Offline } from "../model/sync";
import type { Session } from "../session";
import { effortChoice } from "./redraw";
import { type MadeWith, Requests, type StandardEntry } from "./requests";
import { Running } from "./running";

/** A form that has the whole city planned anew with other parameters, and leads to the plan. */
export function anotherPlan(session: Session): HTMLElement {
  const info = session.info as MadeWith;
  const requests = new Requests(session.api);
  const running = new Running(requests);
  const standard = h("select", { name: "standard", change: () => suggest() }, h("option", { value: info.standard.id }, either(info.standard.name_zh, info.standard.name_en)));
  const figure = (name: "target" | "min" | "max" | "seed", least: number, value: number): HTMLInputElement => h("input", { name, type: "number", min: least, step: 1, required: true, value });
  const { target, min, max } = info.standard;
  const fields = { target: figure("target", 1, target), min: figure("min", 1, min), max: figure("max", 1, max), seed: figure("seed", 0, 0) };
  const effort = effortChoice(String(info.parameters["effort"] ?? "normal"));
  const start = h("button", { type: "submit", class: "button primary" }, t("another_start"));
  const done = h("p", { class: "caption", role: "status" });
  const named = (name: string, field: HTMLElement): HTMLElement => h("label", {}, t(name), field);
  let known: readonly StandardEntry[] = [];

  function suggest(): void {
    const found = known.find(({ id }) => id === standard.value);
    if (found === undefined) return;
    fields.target.value = String(found.target);
    fields.min.value = String(found.min);
    fields.max.value = String(found.max);
  }

  async function list(): Promise<void> {
    if (known.length > 0) return;
    try {
      known = await requests.standards();
    } catch (error) {
      if (!(error instanceof ApiError || error instanceof Offline)) throw error;
      return; // the standard of this plan can be taken all the same
    }
    standard.replaceChildren(...known.map((one) => h("option", { value: one.id }, `${either(one.name_zh, one.name_en)} (${number(one.target)})`)));
    standard.value = info.standard.id;
  }

  async function make(): Promise<void> {
    start.disabled = true;
    done.replaceChildren();
    try {
      const numbers = { target: fields.target.valueAsNumber, min: fields.min.valueAsNumber, max: fields.max.valueAsNumber, seed: fields.seed.valueAsNumber };
      const job = await running.run(() => requests.startPlan(info.project, { standard: standard.value, effort: effort.value, ...numbers }));
      if (job === null) return;
      const plan = await requests.planOf(info.project, job.id);
      done.replaceChildren(t("another_done", { name: plan.name }), " ", h("a", { href: `/plans/${plan.id}` }, t("alternatives_open")));
    } catch (error) {
      if (!(error instanceof ApiError || error instanceof Offline)) throw error;
      done.replaceChildren(error instanceof ApiError ? error.message : t("offline_needs"));
    } finally {
      start.disabled = false;
    }
  }

  const submit = (event: Event): void => {
    event.preventDefault();
    void make();
  };
  const sizes = h("div", { class: "sizes" }, named("fact_target", fields.target), named("another_min", fields.min), named("another_max", fields.max));
  const rest = h("div", { class: "sizes" }, named("helpers_effort", effort), named("parameter_seed", fields.seed));
  const form = h("form", { submit }, named("fact_standard", standard), sizes, rest, h("div", { class: "answers" }, start));
  return h("details", { class: "another", toggle: () => void list() }, h("summary", {}, t("another")), h("p", { class: "caption" }, t("another_hint")), form, running.element, done);
}
