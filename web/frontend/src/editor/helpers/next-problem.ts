import { number, signed, t } from "../../shared/i18n";
import { at } from "../model/ground";
import { type Trouble, troublesOf } from "../model/problems";
import type { Session } from "../session";

/** Returns a command that goes from one thing that is wrong to the next, and says where in the list it is. */
export function problemWalk(session: Session): (back: boolean) => void {
  let last: Trouble | null = null;
  let place = 0;
  return (back) => {
    const { plan, store } = session;
    const troubles = troublesOf(plan);
    if (troubles.length === 0) {
      store.set({ hint: t("no_problems") });
      return;
    }
    const kept = last === null ? -1 : troubles.findIndex(({ key }) => key === last?.key);
    // What was mended meanwhile is no more in the list: the one that took its place comes next.
    const from = kept >= 0 ? kept : back ? place : place - 1;
    place = (((from + (back ? -1 : 1)) % troubles.length) + troubles.length) % troubles.length;
    last = troubles[place] as Trouble;
    const hint = t("problem_at", { at: place + 1, of: troubles.length, what: worded(session, last) });
    store.set({ chosen: new Set(last.grids), grid: last.grids.length === 1 ? (last.grids[0] ?? null) : null, hint });
    session.goTo(last.cells);
  };
}

/** Say what is wrong where. */
function worded(session: Session, { kind, grids, cells, compound }: Trouble): string {
  const { plan } = session;
  const { ground, band } = plan;
  if (compound !== null) return t("problem_cut", { name: ground.compounds[compound]?.name ?? "", grids: grids.length });
  const [grid] = grids;
  if (grid === undefined) return t("problem_loose", { name: ground.communities[at(ground.community, cells[0] ?? 0)]?.name ?? "", n: cells.length });
  const { load, pieces } = plan.figures(grid);
  const much = kind === "pieces" ? t("problem_pieces_n", { n: pieces }) : `${t(`problem_${kind}`)}${t("problem_load", { load: number(load), off: signed(Math.round(100 * (load / band.target - 1))) })}`;
  return t("problem_of", { name: session.nameOf(grid), what: much });
}
