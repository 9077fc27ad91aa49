import { h, say } from "../../shared/dom";
import { t } from "../../shared/i18n";
import { FILLS } from "../model/colours";
import type { Session } from "../session";
import { icon } from "./icons";
import type { Panel } from "./panel";

const DIGITS = 6;

/** North, the place of the pointer, and what the colours mean. */
export function furniture(session: Session): Panel {
  const place = h("output", { class: "place", "aria-label": t("coordinates") });
  session.map.gl.on("mousemove", ({ lngLat }) => say(place, `${lngLat.lng.toFixed(DIGITS)}, ${lngLat.lat.toFixed(DIGITS)}`));
  const legend = h("details", { class: "legend" }, h("summary", {}, t("legend")), legendList());
  return { element: h("div", { class: "furniture" }, northArrow(), legend, place), render: () => undefined };
}

/** What colours, lines and signs mean. */
export function legendList(): HTMLElement {
  const swatches = FILLS.slice(0, 6).map((fill) => {
    const swatch = h("i", {});
    swatch.style.background = fill;
    return swatch;
  });
  const key = (name: string): HTMLElement => h("li", {}, h("i", { class: `key ${name}` }), t(`legend_${name}`));
  const locked = h("li", {}, h("i", { class: "key locked" }), t("legend_locked"));
  locked.firstElementChild?.append(icon("lock"));
  return h(
    "ul",
    { class: "keys" },
    h("li", {}, h("span", { class: "swatches" }, ...swatches), t("legend_grids")),
    ...["border", "picked", "community", "compound", "water", "railway", "problem"].map(key),
    locked,
    key("unassigned"),
  );
}

/** The map cannot be turned: north is up. */
export function northArrow(): HTMLElement {
  return h("div", { class: "north", role: "img", "aria-label": t("north_up") }, h("span", {}, "▲"), t("north"));
}
