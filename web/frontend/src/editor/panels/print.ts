import { h } from "../../shared/dom";
import { either, number, t } from "../../shared/i18n";
import { verdict } from "../model/suggest";
import type { Session } from "../session";
import { legendList, northArrow } from "./furniture";

/** Pixels of the printed map for one of the screen. */
const SHARP = 2;
const WAIT_MS = 6000;
const STEPS = [1, 2, 5] as const;
/** The most of the map's width that the scale bar takes. */
const SCALE_SHARE = 0.22;

/** Prepare the printed page: whenever the page is printed, it shows the map as it is then. */
export function preparePrint(session: Session): void {
  const sheet = h("section", { class: "print-sheet", "aria-hidden": "true" });
  document.body.append(sheet);
  window.addEventListener("beforeprint", () => fill(sheet, session));
}

/** Print what the map shows, drawn finer than on the screen. */
export async function printPlan({ map }: Session): Promise<void> {
  const before = map.gl.getPixelRatio();
  map.gl.setPixelRatio(Math.max(SHARP, before));
  await Promise.race([new Promise((resolve) => map.gl.once("idle", resolve)), new Promise((resolve) => setTimeout(resolve, WAIT_MS))]);
  window.print();
  map.gl.setPixelRatio(before);
}

function fill(sheet: HTMLElement, session: Session): void {
  const { info, plan, store } = session;
  const found = verdict(plan);
  const { standard } = info;
  const title = h("header", {}, h("h1", {}, document.querySelector("main h1")?.textContent ?? info.name), h("p", {}, new Date().toLocaleDateString(either("zh-CN", "en-GB"), { dateStyle: "long" }), " · ", t("print_revision", { n: store.now.sync.revision })));
  const band = { target: standard.target, min: standard.min, max: standard.max };
  const facts = h(
    "div",
    { class: "print-facts" },
    h("p", {}, t("print_summary", { grids: found.grids, band: found.inBand, pieces: found.inPieces, split: found.compoundsSplit, unassigned: found.unassigned })),
    h("p", {}, t("print_standard", { name: either(standard.name_zh, standard.name_en), ...band })),
  );
  sheet.replaceChildren(title, h("figure", {}, picture(session), scaleBar(session), northArrow()), h("footer", {}, legendList(), facts));
}

/** Copy the map: what is drawn by the graphics card is gone once the frame is shown, so it is drawn anew. */
function picture({ map }: Session): HTMLCanvasElement {
  map.gl.redraw();
  const drawn = map.gl.getCanvas();
  const copy = h("canvas", { class: "print-map", width: drawn.width, height: drawn.height });
  copy.getContext("2d")?.drawImage(drawn, 0, 0);
  return copy;
}

/** A bar as long as a round number of metres, by its share of the map's width: it fits whatever the paper. */
function scaleBar({ map }: Session): HTMLElement {
  const wide = map.metresAcross();
  const most = wide * SCALE_SHARE;
  const ten = 10 ** Math.floor(Math.log10(most));
  const length = Math.max(...STEPS.map((step) => step * ten).filter((metres) => metres <= most));
  const bar = h("div", { class: "print-scale" }, length < 1000 ? `${number(length)} m` : `${number(length / 1000)} km`);
  bar.style.width = `${((100 * length) / wide).toFixed(3)}%`;
  return bar;
}
