import { type LayerSpecification, addProtocol } from "maplibre-gl";
import { PMTiles } from "pmtiles";
import { h } from "../../shared/dom";
import { t } from "../../shared/i18n";
import { ApiError } from "../api";
import { Offline } from "../model/sync";
import type { Session } from "../session";
import { offsetOf } from "./gcj";

/** A base map as the service tells of it. */
export interface BaseMap {
  readonly id: "file" | "url";
  readonly form: "xyz" | "pmtiles";
  readonly kind: "raster" | "vector";
  readonly tiles: string;
  readonly crs: "wgs84" | "gcj02";
  readonly attribution: string;
  readonly min_zoom: number;
  readonly max_zoom: number;
  readonly layers: readonly string[];
}

const SIZE = 256;
/** Images kept: four neighbours are put together for one shifted tile, and each is a part of four. */
const KEPT = 96;
const SCHEME = "basemap";
const SOURCE = "base";

type Images = (zoom: number, column: number, row: number) => Promise<ImageBitmap | null>;

/** Offer the base maps that the service has, in the list of layers; none is asked for before it is chosen. */
export async function offerBaseMaps(session: Session): Promise<void> {
  let maps: readonly BaseMap[];
  try {
    maps = await session.api.baseMaps();
  } catch (error) {
    if (error instanceof ApiError || error instanceof Offline) return;
    throw error;
  }
  if (maps.length === 0) return;
  const rights = h("div", { class: "attribution", hidden: true });
  session.map.gl.getContainer().parentElement?.append(rights);
  const boxes = new Map<BaseMap, HTMLInputElement>();
  const choose = (chosen: BaseMap | null): void => {
    takeAway(session);
    for (const [map, box] of boxes) box.checked = map === chosen;
    rights.textContent = chosen?.attribution ?? "";
    rights.hidden = rights.textContent === "";
    if (chosen !== null) lay(session, chosen);
  };
  for (const map of maps) {
    const box = h("input", { type: "checkbox", name: `base-${map.id}`, change: () => choose(box.checked ? map : null) });
    boxes.set(map, box);
  }
  session.map.gl.on("error", (event) => {
    if ((event as { sourceId?: string }).sourceId !== SOURCE) return;
    choose(null);
    session.store.set({ message: { kind: "warning", text: t("base_failed") } });
  });
  document.querySelector("#panel-parameters .switches")?.append(...[...boxes].map(([map, box]) => h("label", { class: "check" }, box, t(`base_${map.id}`))));
}

/** Lay a base map under the plan. */
function lay({ map }: Session, base: BaseMap): void {
  const { gl } = map;
  const first = map.lowest;
  const zooms = { minzoom: base.min_zoom, maxzoom: base.max_zoom };
  const address = new URL(base.tiles, window.location.href).href.replaceAll("%7B", "{").replaceAll("%7D", "}");
  if (base.kind === "raster") {
    addProtocol(SCHEME, shifting(base.form === "pmtiles" ? archived(address) : fetched(address), base.crs === "gcj02"));
    gl.addSource(SOURCE, { type: "raster", tiles: [`${SCHEME}://{z}/{x}/{y}`], tileSize: SIZE, ...zooms });
    gl.addLayer({ id: SOURCE, type: "raster", source: SOURCE, paint: { "raster-saturation": -0.35, "raster-fade-duration": 0 } }, first);
  } else {
    const where = base.form === "pmtiles" ? { url: `pmtiles://${address}` } : { tiles: [address] };
    gl.addSource(SOURCE, { type: "vector", ...where, ...zooms });
    for (const layer of base.layers.flatMap(plain)) gl.addLayer(layer, first);
  }
  map.seeThrough(true);
}

function takeAway({ map }: Session): void {
  const { gl } = map;
  for (const layer of gl.getStyle().layers) if ("source" in layer && layer.source === SOURCE) gl.removeLayer(layer.id);
  if (gl.getSource(SOURCE) !== undefined) gl.removeSource(SOURCE);
  map.seeThrough(false);
}

/** Vector tiles of somebody else come without a style: shapes are drawn in quiet greys. */
function plain(name: string): LayerSpecification[] {
  const of = { source: SOURCE, "source-layer": name };
  return [
    { id: `${SOURCE}-${name}-fill`, type: "fill", ...of, filter: ["==", ["geometry-type"], "Polygon"], paint: { "fill-color": "#d9d6ca", "fill-opacity": 0.4 } },
    { id: `${SOURCE}-${name}-line`, type: "line", ...of, filter: ["==", ["geometry-type"], "LineString"], paint: { "line-color": "#a9a697", "line-width": 1 } },
  ];
}

/** Put each tile together from those that cover it where the map's coordinates are shifted. */
function shifting(images: Images, shifted: boolean): (asked: { url: string }) => Promise<{ data: ImageBitmap }> {
  return async ({ url }) => {
    const [zoom, column, row] = url.slice(`${SCHEME}://`.length).split("/").map(Number) as [number, number, number];
    const [dx, dy] = shifted ? offsetOf(zoom, column, row) : [0, 0];
    const [west, north] = [Math.round((column + dx) * SIZE), Math.round((row + dy) * SIZE)];
    const canvas = new OffscreenCanvas(SIZE, SIZE);
    const pen = canvas.getContext("2d");
    const parts: Promise<void>[] = [];
    for (let x = Math.floor(west / SIZE); x * SIZE < west + SIZE; x += 1) {
      for (let y = Math.floor(north / SIZE); y * SIZE < north + SIZE; y += 1) {
        parts.push(images(zoom, x, y).then((image) => void (image && pen?.drawImage(image, x * SIZE - west, y * SIZE - north, SIZE, SIZE))));
      }
    }
    await Promise.all(parts);
    return { data: canvas.transferToImageBitmap() };
  };
}

function fetched(template: string): Images {
  return kept(async (zoom, column, row) => {
    const address = template.replace("{z}", String(zoom)).replace("{x}", String(column)).replace("{y}", String(row));
    const answer = await fetch(address, { credentials: address.startsWith(window.location.origin) ? "same-origin" : "omit" });
    if (answer.status === 204 || answer.status === 404) return null;
    if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
    return createImageBitmap(await answer.blob());
  });
}

function archived(address: string): Images {
  const archive = new PMTiles(address);
  return kept(async (zoom, column, row) => {
    const found = await archive.getZxy(zoom, column, row);
    return found === undefined ? null : createImageBitmap(new Blob([found.data]));
  });
}

/** Keep the images asked for last. */
function kept(images: Images): Images {
  const known = new Map<string, Promise<ImageBitmap | null>>();
  return (zoom, column, row) => {
    const name = `${zoom}/${column}/${row}`;
    const image = known.get(name) ?? images(zoom, column, row);
    known.delete(name);
    known.set(name, image);
    image.catch(() => known.delete(name));
    const [oldest] = known.keys();
    if (known.size > KEPT && oldest !== undefined) known.delete(oldest);
    return image;
  };
}
