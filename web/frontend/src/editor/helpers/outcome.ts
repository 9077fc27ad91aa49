import { h, say } from "../../shared/dom";
import { number, t } from "../../shared/i18n";
import { type Verdict, verdict } from "../model/suggest";
import type { Panel } from "../panels/panel";
import type { Session } from "../session";

/** What a proposal does to the plan: its figures before and after, and how long it is being worked out. */
export function outcome(session: Session): Panel {
  const seconds = h("p", { class: "elapsed" });
  const stripe = h("div", { class: "meter endless", "aria-hidden": true }, h("i", {}));
  const table = h("dl", { class: "outcome", hidden: true });
  const element = h("div", { class: "proposed" }, table, stripe, seconds);
  let before: Verdict | null = null;
  let begun = 0;
  let clock: number | undefined;
  const tick = (): void => say(seconds, t("helpers_elapsed", { n: Math.round((Date.now() - begun) / 1000) }));
  return {
    element,
    render(now, was): void {
      const state = now.proposal?.state ?? null;
      if (state === (was?.proposal?.state ?? null)) return;
      window.clearInterval(clock);
      stripe.hidden = seconds.hidden = state !== "asking";
      table.hidden = state !== "shown";
      if (state === "asking") {
        before = verdict(session.plan);
        begun = Date.now();
        tick();
        clock = window.setInterval(tick, 1000);
      } else if (state === "shown" && before !== null) {
        table.replaceChildren(...lines(before, verdict(session.plan)));
      }
    },
  };
}

function lines(before: Verdict, after: Verdict): HTMLElement[] {
  const inBand = (one: Verdict): string => `${number(one.inBand)} / ${number(one.grids)}`;
  const facts: [string, string, string, number][] = [["fact_band", inBand(before), inBand(after), share(after) - share(before)]];
  const counts = [
    ["fact_pieces", before.inPieces, after.inPieces],
    ["fact_unassigned", before.unassigned, after.unassigned],
    ["fact_split", before.compoundsSplit, after.compoundsSplit],
  ] as const;
  for (const [name, was, is] of counts) if (was !== is) facts.push([name, number(was), number(is), was - is]);
  return facts.map(([name, was, is, gain]) =>
    h("div", { class: gain > 0 ? "better" : gain < 0 ? "worse" : null, "data-outcome": name }, h("dt", {}, t(name)), h("dd", {}, was, h("span", { "aria-hidden": true }, " → "), h("strong", {}, is))),
  );
}

function share({ inBand, grids }: Verdict): number {
  return grids === 0 ? 0 : inBand / grids;
}
