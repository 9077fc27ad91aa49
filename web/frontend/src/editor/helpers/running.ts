import { h, say, wide } from "../../shared/dom";
import { either, t } from "../../shared/i18n";
import { ApiError } from "../api";
import { Offline } from "../model/sync";
import { follow } from "./follow";
import type { JobDocument, Requests } from "./requests";

/** A job of the service in the page: how far it is, a button that ends it, and what went wrong. */
export class Running {
  readonly element: HTMLElement;
  readonly #requests: Requests;
  readonly #bar = h("i", {});
  readonly #text = h("p", { class: "caption", role: "status" });
  readonly #fault = h("p", { class: "fault", role: "alert", hidden: true });
  readonly #meter: HTMLElement;
  #job: string | null = null;

  constructor(requests: Requests) {
    this.#requests = requests;
    const end = h("button", { type: "button", class: "button", click: () => void this.#cancel() }, t("helpers_cancel"));
    this.#meter = h("div", { class: "job", hidden: true }, h("div", { class: "meter" }, this.#bar), this.#text, end);
    this.element = h("div", {}, this.#meter, this.#fault);
  }

  get busy(): boolean {
    return !this.#meter.hidden;
  }

  /** Start a job and wait for its end; null where it was cancelled or failed, which is said. */
  async run(start: () => Promise<JobDocument>): Promise<JobDocument | null> {
    this.#fault.hidden = true;
    this.#meter.hidden = false;
    wide(this.#bar, 0);
    say(this.#text, t("helpers_queued"));
    try {
      const job = await start();
      this.#job = job.id;
      const ended = await follow(this.#requests, job, (now) => this.#tell(now));
      if (ended.state === "done") return ended;
      if (ended.state !== "cancelled") this.#fail(either(ended.error?.zh ?? "", ended.error?.en ?? "") || t("error"));
    } catch (error) {
      if (!(error instanceof ApiError || error instanceof Offline)) throw error;
      this.#fail(error instanceof ApiError ? error.message : t("offline_needs"));
    } finally {
      this.#job = null;
      this.#meter.hidden = true;
    }
    return null;
  }

  #tell({ state, progress }: JobDocument): void {
    wide(this.#bar, progress.percent / 100);
    say(this.#text, state === "queued" ? t("helpers_queued") : t("helpers_percent", { n: progress.percent }));
  }

  #fail(text: string): void {
    say(this.#fault, text);
    this.#fault.hidden = false;
  }

  async #cancel(): Promise<void> {
    if (this.#job === null) return;
    try {
      await this.#requests.cancel(this.#job);
    } catch (error) {
      // It may have ended by itself just now.
      if (!(error instanceof ApiError || error instanceof Offline)) throw error;
    }
  }
}
