import { h, say } from "../../shared/dom";
import { either, known, t } from "../../shared/i18n";
import type { EditInfo, Other } from "../api";
import { readChange } from "../api";
import { tab } from "../memory";
import { nameOfUser } from "../names";
import type { Session } from "../session";
import { Fresh } from "../together/fresh";
import { Presence, colourOf } from "../together/presence";
import type { Panel } from "./panel";

const SHOWN = 60;

/** Who is here, and what was done by whom, the latest first. */
export function togetherPanel(session: Session): Panel {
  const count = h("p", { class: "caption", role: "status" });
  const people = h("ul", { class: "people" });
  const none = h("p", { class: "caption" }, t("together_none"));
  const list = h("ol", { class: "edits doings" });
  const element = h("section", { class: "together" }, h("h2", {}, t("together_here")), count, people, h("h2", {}, t("together_done")), none, list);
  let others: readonly Other[] | null = null;
  let edits: readonly EditInfo[] = [];
  let asked = false;
  const take = (more: readonly EditInfo[]): void => {
    const all = new Map([...edits, ...more].map((edit) => [edit.revision, edit]));
    edits = [...all.values()].sort((a, b) => b.revision - a.revision).slice(0, SHOWN);
    none.hidden = edits.length > 0;
    list.replaceChildren(...edits.map((edit) => doing(session, edit)));
  };
  const here = (now: readonly Other[]): void => {
    if (others !== null && same(others, now)) return;
    others = now;
    say(count, now.length === 0 ? t("together_alone") : t("together_others", { n: now.length }));
    people.replaceChildren(person(null), ...now.map(person));
    element.dataset["others"] = String(now.length);
  };
  here([]);
  const fresh = new Fresh(session.map);
  session.api.listen((news, own) => {
    take(news);
    if (!own) for (const { change } of news) fresh.show(change?.cells ?? []);
  });
  new Presence(session, tab(), here);
  return {
    element,
    render(now): void {
      if (now.panel !== "together" || asked) return;
      asked = true;
      void session.api.log(Math.max(0, now.sync.revision - SHOWN)).then(take, () => (asked = false));
    },
  };
}

function same(a: readonly Other[], b: readonly Other[]): boolean {
  return a.length === b.length && a.every((one, k) => one.client === b[k]?.client && one.tool === b[k]?.tool);
}

function person(other: Other | null): HTMLElement {
  const dot = h("i", { class: "dot" });
  if (other !== null) dot.style.background = colourOf(other.client);
  const does = other !== null && known(`tool_${other.tool}`) ? t(`tool_${other.tool}`) : "";
  return h("li", { "data-client": other?.client ?? "me" }, dot, h("span", { class: "name" }, other === null ? t("together_me") : nameOfUser(other.user.name)), h("span", { class: "muted" }, does));
}

function doing(session: Session, edit: EditInfo): HTMLElement {
  const when = new Date(edit.at).toLocaleTimeString(either("zh-CN", "en-GB"), { hour: "2-digit", minute: "2-digit" });
  const { cells } = readChange(edit.change ?? {}).moves;
  const show = h("button", { type: "button", class: "link what", disabled: cells.length === 0, click: () => session.goTo([...cells]) }, either(edit.summary_zh, edit.summary_en));
  return h("li", { value: edit.revision }, show, h("span", { class: "who" }, `${nameOfUser(edit.user.name)} · ${when}`));
}
