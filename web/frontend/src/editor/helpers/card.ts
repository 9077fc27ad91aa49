import { h, say } from "../../shared/dom";
import { either, number, signed, t } from "../../shared/i18n";
import { ApiError } from "../api";
import type { GridRecord } from "../model/plan";
import { cutCompounds } from "../model/problems";
import { Offline } from "../model/sync";
import type { Panel } from "../panels/panel";
import { mayChange } from "../reading";
import type { Session } from "../session";
import type { State } from "../store";
import { GridFields } from "./fields";
import { Remarks } from "./remarks";
import { Requests } from "./requests";

const NAMED = 4;

/** The one grid that is chosen: its figures, what is wrong with it, what is said of it. */
export class GridCard implements Panel {
  readonly element: HTMLElement;
  readonly #session: Session;
  readonly #requests: Requests;
  readonly #title = h("h2", {});
  readonly #code = h("span", { class: "code" });
  readonly #figures = h("dl", { class: "grid-figures" });
  readonly #warnings = h("ul", { class: "grid-warnings" });
  readonly #locked = h("input", { type: "checkbox", role: "switch", change: () => this.#lock() });
  readonly #fields: GridFields;
  readonly #remarks: Remarks;
  #reasons: Readonly<Record<string, { zh: string; en: string }>> = {};
  #asked = -1;
  #seen = "";

  constructor(session: Session) {
    this.#session = session;
    this.#requests = new Requests(session.api);
    this.#fields = new GridFields(session);
    this.#remarks = new Remarks(this.#requests);
    const head = h("header", {}, h("div", {}, this.#title, this.#code), h("label", { class: "check" }, this.#locked, t("card_locked")));
    this.element = h("article", { class: "grid-card", hidden: true }, head, this.#figures, this.#warnings, this.#fields.element, this.#remarks.element);
  }

  render(now: State, _before: State | null): void {
    const record = this.#shown(now);
    this.element.hidden = record === null;
    if (record === null) return;
    const seen = `${record.id} ${now.version} ${this.#asked}`;
    if (seen !== this.#seen) this.#draw(record);
    this.#seen = seen;
    if (!this.#session.plan.inBand(record.id) && now.proposal === null) void this.#ask(now.sync.revision);
    void this.#remarks.of(record.id);
  }

  #shown(now: State): GridRecord | null {
    const [only] = now.chosen;
    return now.chosen.size === 1 && only !== undefined ? (this.#session.plan.grids.get(only) ?? null) : null;
  }

  #draw(record: GridRecord): void {
    const { plan, info } = this.#session;
    say(this.#title, record.name);
    say(this.#code, record.code);
    this.#locked.checked = record.locked;
    this.#locked.disabled = !mayChange(info);
    const { load, households, persons, buildings, areaDm2, perimeterMm } = plan.figures(record.id);
    const off = signed(Math.round(100 * (load / plan.band.target - 1)));
    const round = perimeterMm > 0 ? (4 * Math.PI * areaDm2 * 1e4) / perimeterMm ** 2 : 0;
    const facts: [string, string, boolean][] = [
      [t("column_load"), `${number(load)} (${off} %)`, !plan.inBand(record.id)],
      [plan.band.measure === "households" ? t("card_persons") : t("compare_households"), number(plan.band.measure === "households" ? persons : households), false],
      [t("column_buildings"), number(buildings), false],
      [t("card_area"), `${number(areaDm2 / 1e6, 1)} ha`, false],
      [t("column_compactness"), number(round, 2), false],
    ];
    this.#figures.replaceChildren(...facts.map(([what, value, bad]) => h("div", { class: bad ? "bad" : null }, h("dt", {}, what), h("dd", {}, value))));
    this.#warnings.replaceChildren(...this.#wrong(record.id).map((text) => h("li", {}, text)));
    this.#fields.render(record);
  }

  /** Say what is wrong with the grid; why it is out of band as far as the engine could prove it. */
  #wrong(grid: number): string[] {
    const { plan } = this.#session;
    const { load, pieces } = plan.figures(grid);
    const found: string[] = [];
    if (!plan.inBand(grid)) {
      const bound = load > plan.band.max ? t("card_above", { max: plan.band.max }) : t("card_below", { min: plan.band.min });
      const why = this.#reasons[String(grid)];
      found.push(why === undefined ? bound : t("card_because", { what: bound, why: either(why.zh, why.en) }));
    }
    if (pieces > 1) found.push(t("card_pieces", { n: pieces }));
    const cut = cutCompounds(plan, grid).map((row) => plan.ground.compounds[row]?.name ?? "");
    if (cut.length > 0) found.push(t("card_cut", { names: cut.slice(0, NAMED).join(either("、", ", ")), n: cut.length }));
    return found;
  }

  /** Ask once a revision why grids are out of the band. */
  async #ask(revision: number): Promise<void> {
    if (revision === this.#asked) return;
    this.#asked = revision;
    try {
      this.#reasons = await this.#requests.reasons();
    } catch (error) {
      if (!(error instanceof ApiError || error instanceof Offline)) throw error;
      this.#reasons = {};
    }
    this.#seen = "";
    this.render(this.#session.store.now, null);
  }

  #lock(): void {
    const record = this.#shown(this.#session.store.now);
    if (record !== null) this.#session.command({ kind: "lock", locked: this.#locked.checked, grids: [record.id] });
  }
}
