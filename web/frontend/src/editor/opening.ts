import { h, say, wide } from "../shared/dom";
import { percent, t } from "../shared/i18n";
import type { EditorApi } from "./api";
import type { TileSet } from "./map/map";

const ASK_MS = 700;
/** A page that is there at once needs no word about it; drawing one takes time away from the opening itself. */
const SILENT_MS = 700;
/** So does what moves. */
const STILL_MS = 2500;

/** How far the drawing of the tiles is, as the page shows it. */
export interface Baking {
  readonly queued: boolean;
  readonly share: number;
}

/** The tiles cannot be drawn: there is nothing to wait for. */
export class TilesFailed extends Error {}

/** Return the tiles of a dataset, waiting for the job that draws them where there are none yet. */
export async function baked(api: EditorApi, dataset: string, shown: (how: Baking) => void): Promise<TileSet> {
  for (let tried: string | null = null; ; ) {
    const { tiles, job } = await api.tileState(dataset);
    if (tiles !== null) return tiles;
    // The service begins a job anew when the last one failed; twice for one page would be for ever.
    if (job === null || (tried !== null && tried !== job)) throw new TilesFailed(t("tiles_failed"));
    tried = job;
    await over(api, job, shown);
  }
}

/** Follow a job to its end. */
async function over(api: EditorApi, id: string, shown: (how: Baking) => void): Promise<void> {
  for (;;) {
    const { state, progress, error } = await api.job(id);
    if (state === "done") return;
    if (state !== "queued" && state !== "running") throw new TilesFailed(error === null ? t("tiles_failed") : error);
    shown({ queued: state === "queued", share: progress.percent / 100 });
    await new Promise((resolve) => setTimeout(resolve, ASK_MS));
  }
}

/** What the page shows while it opens: a word, and once tiles are being drawn, how far they are. */
export function openingPanel(): { element: HTMLElement; show: (how: Baking) => void } {
  const title = h("h2", {}, t("opening"));
  const hint = h("p", { class: "muted" });
  const bar = h("span", {});
  const track = h("div", { class: "track", role: "progressbar", "aria-label": t("opening"), "aria-valuemin": 0, "aria-valuemax": 100, hidden: true }, bar);
  const tiles = h("div", { class: "opening-tiles", "aria-hidden": true }, ...Array.from({ length: 9 }, () => h("i", {})));
  const element = h("section", { class: "opening", role: "status" }, title, track, hint);
  element.style.visibility = "hidden";
  window.setTimeout(() => (element.style.visibility = ""), SILENT_MS);
  window.setTimeout(() => element.prepend(tiles), STILL_MS);
  return {
    element,
    show({ queued, share }): void {
      say(title, t("tiles_drawn"));
      say(hint, queued ? t("tiles_queued") : t("tiles_share", { share: percent(share) }));
      track.hidden = false;
      track.setAttribute("aria-valuenow", String(Math.round(100 * share)));
      wide(bar, share);
    },
  };
}
