import "./coverage.css";
import { Api, ApiError, type Opening, type Overview } from "./api";
import { type Buildings, readBuildings } from "./decode";
import { h, say } from "../shared/dom";
import { either, known, readTexts, t } from "./i18n";
import { CityMap, canDraw } from "./map";
import { keep, recall } from "./memory";
import { analysisPanel } from "./panels/analysis";
import { categoriesPanel } from "./panels/categories";
import { exportsPanel } from "./panels/exports";
import { gapsPanel } from "./panels/gaps";
import { headlinePanel } from "./panels/headline";
import { layersPanel } from "./panels/layers";
import { Legend } from "./panels/legend";
import type { Context, Panel } from "./panels/panel";
import { questionPanel } from "./panels/question";
import { sitingPanel } from "./panels/siting";
import { tabs } from "./panels/tabs";
import { whatifPanel } from "./panels/whatif";
import { Solver } from "./solver";
import { Store, firstState } from "./state";
import { Tools } from "./tools";
import { MapView, furniture } from "./view";

const POLL_MS = 700;

const found = document.querySelector("main#coverage");
if (found instanceof HTMLElement) {
  readTexts(found);
  void open(found, false);
}

/** Wait for the model, then show the page, or say what is missing. */
async function open(main: HTMLElement, retry: boolean): Promise<void> {
  const api = new Api(main.dataset["api"] ?? "", main.dataset["jobs"] ?? "");
  const body = main.querySelector<HTMLElement>(":scope > .body") ?? main.appendChild(h("div", { class: "body" }));
  try {
    const overview = await waited(api, body, retry);
    if (overview.state === "ready") await show(main, body, api, overview);
    else if (overview.state === "missing-stations") missing(main, body, overview);
    else if (overview.state === "failed") failed(main, body, either(overview.error.zh, overview.error.en), overview.error.code);
  } catch (error) {
    failed(main, body, error instanceof ApiError ? error.message : String(error), "");
    if (!(error instanceof ApiError)) throw error;
  }
}

async function waited(api: Api, body: HTMLElement, retry: boolean): Promise<Opening> {
  const stage = h("p", { class: "stage", role: "status" });
  const bar = h("progress", { max: 1, "aria-label": t("building") });
  let opening = await api.overview(retry);
  if (opening.state !== "building") return opening;
  body.replaceChildren(
    h("section", { class: "card waiting progress" }, h("h2", {}, t("building")), stage, bar, h("p", { class: "muted" }, t("building_hint"))),
  );
  while (opening.state === "building") {
    const { stage: name, done, total } = opening.progress;
    say(stage, known(`stage_${name}`) ? t(`stage_${name}`) : name);
    if (total > 1) bar.value = done / total;
    else bar.removeAttribute("value");
    await new Promise((resolve) => window.setTimeout(resolve, POLL_MS));
    opening = await api.overview(false);
  }
  return opening;
}

function missing(main: HTMLElement, body: HTMLElement, said: { message_zh: string; message_en: string }): void {
  body.replaceChildren(
    h(
      "section",
      { class: "card notice warning" },
      h("h2", {}, t("missing_stations")),
      h("p", { class: "message" }, either(said.message_zh, said.message_en)),
      h("p", {}, h("a", { class: "button", href: main.dataset["layers"] ?? "" }, t("to_layers"))),
    ),
  );
}

function failed(main: HTMLElement, body: HTMLElement, message: string, code: string): void {
  const again = h("button", { type: "button", class: "button primary", click: () => void open(main, true) }, t("retry"));
  body.replaceChildren(
    h(
      "section",
      { class: "card notice error", role: "alert" },
      h("p", { class: "eyebrow" }, code === "" ? t("error") : code),
      h("h2", {}, t("failed")),
      h("p", { class: "message" }, message),
      h("p", {}, again),
    ),
  );
}

async function show(main: HTMLElement, body: HTMLElement, api: Api, overview: Overview): Promise<void> {
  const project = main.dataset["project"] ?? "";
  const store = new Store(recall(project, firstState(overview)));
  const solver = new Solver(api, store);
  const buildings = readBuildings(await api.buildings());
  const frame = h("div", { class: "map", id: "map" });
  const stage = h("div", { class: "stage-map" }, frame);
  const ask = h("aside", { class: "side ask", "aria-label": t("question") });
  const tell = h("aside", { class: "side tell", "aria-label": t("tabs") });
  const middle = h("div", { class: "middle" });
  main.classList.add("open");
  body.replaceChildren(ask, middle, tell);
  middle.append(stage);
  const map = canDraw() ? new CityMap(frame, overview) : null;
  if (map === null) frame.replaceWith(noMap(main));
  const context: Context = { store, api, solver, buildings, map };
  const headline = headlinePanel(context);
  const panels: Panel[] = [questionPanel(context), categoriesPanel(context), headline, side(context)];
  ask.append(...panels.slice(0, 2).map((panel) => panel.element));
  middle.prepend(headline.element);
  tell.append(...panels.slice(3).map((panel) => panel.element));
  if (overview.network === null) middle.append(h("p", { class: "hint" }, t("no_streets")));
  store.subscribe((now, before) => {
    for (const panel of panels) panel.render(now);
    if (now.question !== before.question || now.edits !== before.edits) keep(project, now);
  });
  for (const panel of panels) panel.render(store.now);
  document.addEventListener("keydown", (event) => shortcuts(event, store));
  const solved = solver.solve();
  if (map !== null) await dress(map, stage, context);
  await solved;
}

function side(context: Context): Panel {
  return tabs([
    { id: "gaps", text: t("layer_gaps"), panel: gapsPanel(context) },
    { id: "whatif", text: t("whatif"), panel: whatifPanel(context) },
    { id: "siting", text: t("tab_siting"), panel: sitingPanel(context) },
    { id: "analysis", text: t("analysis"), panel: analysisPanel(context) },
    { id: "export", text: t("tab_export"), panel: exportsPanel(context) },
  ]);
}

/** Put everything on the map and around it. */
async function dress(map: CityMap, stage: HTMLElement, { store, api, buildings }: Context & { buildings: Buildings }): Promise<void> {
  await map.ready();
  await map.fill(api, buildings);
  const legend = new Legend();
  const layers = layersPanel({ store } as Context);
  stage.append(layers.element, ...furniture(map));
  stage.after(legend.element);
  const view = new MapView(map, store, api, buildings, legend);
  stage.append(view.tip);
  new Tools(map, store, stage);
  store.subscribe((now) => layers.render(now));
  layers.render(store.now);
  view.follow(store.now, null);
  map.gl.on("idle", () => (stage.dataset["idle"] = "true"));
  map.gl.triggerRepaint();
}

function noMap(main: HTMLElement): HTMLElement {
  return h(
    "section",
    { class: "card notice warning", role: "alert" },
    h("h2", {}, t("no_webgl")),
    h("p", { class: "message" }, t("no_webgl_hint")),
    h("p", {}, h("a", { class: "button", href: main.dataset["back"] ?? "" }, t("to_map"))),
  );
}

function shortcuts(event: KeyboardEvent, store: Store): void {
  if (event.key === "Escape" && store.now.tool !== null) store.set({ tool: null });
  if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
  if (event.target instanceof HTMLInputElement && event.target.type === "number") return;
  const key = event.key.toLowerCase();
  if (key !== "z" && key !== "y") return;
  event.preventDefault();
  if (key === "y" || event.shiftKey) store.redo();
  else store.undo();
}
