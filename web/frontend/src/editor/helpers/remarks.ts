import { h, say } from "../../shared/dom";
import { either, t } from "../../shared/i18n";
import { ApiError } from "../api";
import { Offline } from "../model/sync";
import { nameOfUser } from "../names";
import type { Remark, Requests } from "./requests";

/** What people said of one grid, and a field to say more. */
export class Remarks {
  readonly element: HTMLElement;
  readonly #requests: Requests;
  readonly #list = h("ul", { class: "remarks" });
  readonly #count = h("span", {});
  readonly #fault = h("p", { class: "fault", role: "alert", hidden: true });
  readonly #field = h("textarea", { rows: 2, maxlength: 4000, placeholder: t("remark_new"), "aria-label": t("remark_new") });
  #grid: number | null = null;

  constructor(requests: Requests) {
    this.#requests = requests;
    const send = h("button", { type: "submit", class: "button" }, t("remark_send"));
    const submit = (event: Event): void => {
      event.preventDefault();
      void this.#say();
    };
    const form = h("form", { class: "remark-form", submit }, this.#field, send);
    this.element = h("details", { class: "card-more" }, h("summary", {}, t("remarks"), this.#count), this.#list, form, this.#fault);
  }

  /** Show the remarks on another grid. */
  async of(grid: number): Promise<void> {
    if (grid === this.#grid) return;
    this.#grid = grid;
    this.#field.value = "";
    this.#list.replaceChildren();
    say(this.#count, "");
    await this.#read();
  }

  async #read(): Promise<void> {
    const grid = this.#grid;
    if (grid === null) return;
    await this.#try(async () => {
      const found = await this.#requests.remarks(grid);
      if (grid === this.#grid) this.#show(found);
    });
  }

  #show(found: readonly Remark[]): void {
    const open = found.filter(({ resolved }) => !resolved).length;
    say(this.#count, found.length === 0 ? "" : ` (${t("remarks_open", { n: open })})`);
    this.#list.replaceChildren(...found.map((remark) => this.#line(remark)));
  }

  #line({ id, text, resolved, user, at }: Remark): HTMLElement {
    const when = new Date(at).toLocaleDateString(either("zh-CN", "en-GB"), { month: "short", day: "numeric" });
    const box = h("input", { type: "checkbox", checked: resolved, change: () => void this.#settle(id, box.checked) });
    return h("li", { class: resolved ? "resolved" : null }, h("p", {}, text), h("p", { class: "by" }, `${nameOfUser(user.name)} · ${when}`, h("label", { class: "check" }, box, t("remark_settled"))));
  }

  async #say(): Promise<void> {
    const text = this.#field.value.trim();
    const grid = this.#grid;
    if (text === "" || grid === null) return;
    await this.#try(async () => {
      await this.#requests.remark(grid, text);
      this.#field.value = "";
    });
    await this.#read();
  }

  async #settle(id: string, resolved: boolean): Promise<void> {
    await this.#try(async () => void (await this.#requests.settle(id, resolved)));
    await this.#read();
  }

  async #try(act: () => Promise<void>): Promise<void> {
    this.#fault.hidden = true;
    try {
      await act();
    } catch (error) {
      if (!(error instanceof ApiError || error instanceof Offline)) throw error;
      say(this.#fault, error instanceof ApiError ? error.message : t("offline_needs"));
      this.#fault.hidden = false;
    }
  }
}
