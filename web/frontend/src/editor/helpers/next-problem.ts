import { number, signed, t } from "../../shared/i18n";
import { ApiError } from "../api";
import { at } from "../model/ground";
import { type Trouble, troublesOf } from "../model/problems";
import { Offline } from "../model/sync";
import type { Session } from "../session";
import { type Far, Stations, type StationsDocument } from "./stations";

const AGAIN_MS = 3000;

/** Something to look at: what is wrong with the plan, and last what is only far from a station. */
type Found = Trouble | { readonly kind: "far"; readonly key: string; readonly cells: readonly number[]; readonly grids: readonly number[]; readonly far: Far };

/** Returns a command that goes from one thing that is wrong to the next, and says where in the list it is. */
export function problemWalk(session: Session): (back: boolean) => void {
  let last: Found | null = null;
  let place = 0;
  let stations: Stations | null = null;
  let asked = false;
  const ask = (): void => {
    if (asked) return;
    asked = true;
    void stationsOf(session).then((found) => (stations = found));
  };
  // The service starts the engine for it: not while the page opens, nor for somebody who only looks around.
  if (session.info.may_edit) session.map.gl.once("idle", ask);
  return (back) => {
    const { plan, store } = session;
    ask();
    const troubles: Found[] = [...troublesOf(plan), ...farOf(session, stations)];
    if (troubles.length === 0) {
      store.set({ hint: t("no_problems") });
      return;
    }
    const kept = last === null ? -1 : troubles.findIndex(({ key }) => key === last?.key);
    // What was mended meanwhile is no more in the list: the one that took its place comes next.
    const from = kept >= 0 ? kept : back ? place : place - 1;
    place = (((from + (back ? -1 : 1)) % troubles.length) + troubles.length) % troubles.length;
    last = troubles[place] as Found;
    const what = last.kind === "far" ? farWords(session, last.far, stations?.minutes ?? 0, stations?.metres ?? 0) : worded(session, last);
    const hint = t("problem_at", { at: place + 1, of: troubles.length, what });
    store.set({ chosen: new Set(last.grids), grid: last.grids.length === 1 ? (last.grids[0] ?? null) : null, hint });
    session.goTo(last.cells);
  };
}

/** Ask where the stations are, again as long as the service reads the city; null where nobody can say. */
async function stationsOf({ api, info }: Session): Promise<Stations | null> {
  try {
    for (;;) {
      const told = await api.asked<StationsDocument>(`/datasets/${info.dataset}/stations`);
      if (told.state === "ready") return told.stations.length === 0 ? null : new Stations({ ...told, ...circleOf(info.parameters, told) });
      await new Promise((resolve) => window.setTimeout(resolve, AGAIN_MS));
    }
  } catch (error) {
    if (error instanceof ApiError || error instanceof Offline) return null;
    throw error;
  }
}

/** The circle that the plan was made with, and that its report counts; else the usual one. */
function circleOf({ minutes, speed }: Readonly<Record<string, unknown>>, usual: StationsDocument): { minutes: number; metres: number } {
  if (typeof minutes !== "number" || typeof speed !== "number") return usual;
  return { minutes, metres: minutes * speed };
}

function farOf({ plan }: Session, stations: Stations | null): Found[] {
  const all = stations?.far(plan) ?? [];
  return all.map((far) => ({ kind: "far", key: `far ${far.grid}`, cells: plan.cellsOf(far.grid), grids: [far.grid], far }));
}

function farWords(session: Session, { grid, category, beyond, households, metres, more }: Far, minutes: number, reach: number): string {
  const what = t("problem_far", { category, beyond: number(beyond), all: number(households), minutes: number(minutes), reach: number(Math.round(reach)), metres: number(Math.round(metres)) });
  return t("problem_of", { name: session.nameOf(grid), what: more > 0 ? `${what}${t("problem_far_more", { n: more })}` : what });
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
