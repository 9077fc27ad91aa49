import { h, say } from "../../shared/dom";
import { number, t } from "../../shared/i18n";
import { verdict } from "../model/suggest";
import { mayChange, whyReadOnly } from "../reading";
import type { SyncState } from "../model/sync";
import type { Session } from "../session";
import type { Commands } from "../keys";
import { icon } from "./icons";
import type { Panel } from "./panel";
import { printPlan } from "./print";

/** The verdict on the plan, whether everything is saved, and the commands that concern all of it. */
export function header(session: Session, commands: Commands): Panel {
  const facts = {
    band: fact("fact_band"),
    pieces: fact("fact_pieces"),
    unassigned: fact("fact_unassigned"),
    split: fact("fact_split"),
  };
  const saved = h("span", { class: "saved", role: "status" });
  const button = (name: "undo" | "redo" | "next" | "whole" | "print", act: () => void): HTMLElement =>
    h("button", { type: "button", class: "tool small", title: t(`command_${name}`), "aria-label": t(`command_${name}`), "data-command": name, click: act }, icon(name));
  const element = h(
    "header",
    { class: "verdict", "aria-label": t("verdict") },
    h("div", { class: "facts", "aria-live": "polite" }, ...Object.values(facts).map((one) => one.element)),
    h(
      "div",
      { class: "commands" },
      saved,
      ...(mayChange(session.info) ? [button("undo", commands.undo), button("redo", commands.redo)] : []),
      button("next", () => commands.nextProblem(false)),
      button("whole", () => session.map.whole()),
      button("print", () => void printPlan(session)),
    ),
  );
  if (!mayChange(session.info)) {
    const why = whyReadOnly(session.info);
    saved.before(h("span", { class: "read-only", title: why }, t("read_only"), h("span", { class: "hidden" }, why)));
  }
  // At once, not with the next frame of all panels: where the machine is slow, that comes later than the answer.
  const tell = ({ waiting, online }: SyncState): void => {
    saved.dataset["state"] = online ? (waiting === 0 ? "saved" : "saving") : "offline";
    say(saved, online ? (waiting === 0 ? t("saved") : t("saving", { n: waiting })) : t("offline", { n: waiting }));
  };
  tell(session.store.now.sync);
  session.store.subscribe((now, before) => {
    if (now.sync !== before.sync) tell(now.sync);
  });
  let seen = -1;
  return {
    element,
    render(now): void {
      if (now.version === seen) return;
      seen = now.version;
      const found = verdict(session.plan);
      facts.band.say(`${number(found.inBand)} / ${number(found.grids)}`, found.inBand === found.grids);
      facts.pieces.say(number(found.inPieces), found.inPieces === 0);
      facts.unassigned.say(number(found.unassigned), found.unassigned === 0);
      facts.split.say(number(found.compoundsSplit), found.compoundsSplit === 0);
    },
  };
}

function fact(name: string): { element: HTMLElement; say: (text: string, good: boolean) => void } {
  const value = h("strong", {});
  const element = h("span", { class: "fact", "data-fact": name }, h("span", { class: "what" }, t(name)), value);
  return {
    element,
    say(text, good): void {
      say(value, text);
      element.classList.toggle("good", good);
      element.classList.toggle("bad", !good);
    },
  };
}
