import { h } from "../../shared/dom";
import { t } from "../../shared/i18n";
import type { GridRecord } from "../model/plan";
import type { EditDocument } from "../model/sync";
import { mayChange } from "../reading";
import type { Session } from "../session";

type Field = HTMLInputElement | HTMLTextAreaElement;
const MOST_STAFF = 10_000;

/** What is said of one grid, in fields: an edit is made when a field is left or Enter is pressed. */
export class GridFields {
  readonly element: HTMLElement;
  readonly #session: Session;
  readonly #fields: Readonly<Record<"name" | "code" | "staff" | "note", Field>>;
  #record: GridRecord | null = null;

  constructor(session: Session) {
    this.#session = session;
    const text = (name: "name" | "code", most: number): Field => h("input", { type: "text", maxlength: most, ...this.#listening(name) });
    this.#fields = {
      name: text("name", 100),
      code: text("code", 40),
      staff: h("input", { type: "number", min: 0, max: MOST_STAFF, step: 1, ...this.#listening("staff") }),
      note: h("textarea", { rows: 2, maxlength: 2000, ...this.#listening("note") }),
    };
    const rows = Object.entries(this.#fields).map(([name, field]) => h("label", { class: `field-${name}` }, t(`field_${name}`), field));
    this.element = h("details", { class: "card-more" }, h("summary", {}, t("fields")), h("div", { class: "fields" }, ...rows));
  }

  /** Show a grid; a field that is being typed into keeps what is typed unless it is another grid. */
  render(record: GridRecord): void {
    const another = record.id !== this.#record?.id;
    if (record === this.#record) return;
    this.#record = record;
    const closed = record.locked || !mayChange(this.#session.info);
    for (const [name, field] of Object.entries(this.#fields)) {
      if (another || document.activeElement !== field) field.value = String(record[name as "name" | "code" | "staff" | "note"]);
      field.disabled = closed;
    }
  }

  #listening(name: string): Record<string, (event: Event) => void> {
    return {
      change: () => this.#save(name),
      keydown: (event) => {
        if (!(event instanceof KeyboardEvent) || event.isComposing) return;
        if (event.key === "Escape" && this.#record !== null) this.#restore(name);
      },
    };
  }

  #restore(name: string): void {
    const key = name as "name" | "code" | "staff" | "note";
    if (this.#record !== null) this.#fields[key].value = String(this.#record[key]);
  }

  #save(name: string): void {
    const record = this.#record;
    const key = name as "name" | "code" | "staff" | "note";
    if (record === null) return;
    const field = this.#fields[key];
    const value = key === "staff" ? Number(field.value) : field.value.trim();
    if (value === record[key]) return;
    if (!field.checkValidity() || (key === "name" && value === "")) {
      this.#restore(name);
      return;
    }
    const edit: EditDocument = key === "name" ? { kind: "rename", grid: record.id, name: value } : { kind: "set", grid: record.id, attributes: { [key]: value } };
    this.#session.command(edit);
  }
}
