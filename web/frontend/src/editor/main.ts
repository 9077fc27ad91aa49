import "./editor.css";
import { h } from "../shared/dom";
import { inLanguage, setWords, t } from "../shared/i18n";
import { ApiError, EditorApi, type PlanInfo, Wire } from "./api";
import { type Commands, listen } from "./keys";
import { recall, remember } from "./memory";
import { Colours } from "./model/colours";
import { withDivisions } from "./model/divided";
import { readGround } from "./model/ground";
import { Places } from "./model/places";
import { PlanModel } from "./model/plan";
import { problemsOf } from "./model/suggest";
import { Sync } from "./model/sync";
import { EditorMap, canDraw } from "./map/map";
import { Painter } from "./paint";
import { hintLine, hoverCard, messageBar, proposalBar, strokeCard } from "./panels/bars";
import { finder } from "./panels/finder";
import { furniture } from "./panels/furniture";
import { header } from "./panels/header";
import type { Panel } from "./panels/panel";
import { sidePanels } from "./panels/side";
import { toolbar } from "./panels/toolbar";
import { Session } from "./session";
import { Store, firstState } from "./store";
import { Hands } from "./tools/hands";
import { WORDS } from "./words";

const POLL_MS = 1200;

const found = document.querySelector("main#editor");
if (found instanceof HTMLElement) {
  const language = found.dataset["lang"] === "en" ? "en" : "zh";
  setWords(language, inLanguage(language, WORDS));
  void open(found);
}

async function open(main: HTMLElement): Promise<void> {
  const body = h("div", { class: "body", "aria-busy": true }, h("p", { class: "opening", role: "status" }, t("opening")));
  main.append(body);
  if (!canDraw()) {
    body.replaceChildren(noMap(main));
    return;
  }
  const api = new EditorApi(main.dataset["api"] ?? "/api/v1", main.dataset["plan"] ?? "");
  try {
    await start(body, api);
  } catch (error) {
    body.replaceChildren(failed(error instanceof ApiError ? error.message : t("failed"), () => void reopen(main, body)));
    if (!(error instanceof ApiError)) throw error;
  } finally {
    body.removeAttribute("aria-busy");
  }
}

async function reopen(main: HTMLElement, body: HTMLElement): Promise<void> {
  body.remove();
  await open(main);
}

async function start(body: HTMLElement, api: EditorApi): Promise<void> {
  const info = await api.info();
  const [ground, tiles, { revision, cells }, loads, grids] = await Promise.all([
    api.ground(info.dataset).then(readGround),
    api.tiles(info.dataset),
    api.assignment(),
    api.loads(),
    api.grids(),
  ]);
  const plan = new PlanModel(withDivisions(ground, cells.length, info.divisions), info.standard, loads, cells, grids);
  for (const cell of info.pinned) plan.pinned[cell] = 1;
  const frame = h("div", { class: "map", id: "map" });
  const stage = h("div", { class: "stage" }, frame);
  body.replaceChildren(stage);
  const map = new EditorMap(frame, api.tilesUrl(info.dataset), tiles);
  const session = assemble(api, info, plan, map, revision);
  await map.ready();
  drawDivided(session);
  session.painter.all();
  dress(body, stage, session);
  stage.dataset["ready"] = "true";
}

function assemble(api: EditorApi, info: PlanInfo, plan: PlanModel, map: EditorMap, revision: number): Session {
  const places = new Places(plan.ground);
  const colours = new Colours(plan);
  const painter = new Painter(map, plan, places, colours);
  const store = new Store(firstState(revision));
  const sync = new Sync(plan, revision, {
    transport: new Wire(api),
    listener: {
      touched: (touched) => session.shown(touched),
      regrounded: reground,
      state: (state) => store.set({ sync: state }),
      conflict: (conflict) => store.set({ message: { kind: "warning", text: conflict.message } }),
    },
    keep: (pending) => remember(info.id, pending),
  });
  const session: Session = new Session({ api, plan, places, colours, map, painter, store, sync, info });
  return session;
}

/** Draw cells that were divided from what the service says: the tiles know nothing of them. */
function drawDivided({ map, info }: Session): void {
  const retired = info.divisions.map(({ parent }) => parent);
  const features = info.divisions
    .flatMap(({ outlines, children }) => outlines.filter(({ cell }) => children.some((child) => child.cell === cell)))
    .filter(({ cell }) => !retired.includes(cell))
    .map(({ cell, coordinates }) => ({
      type: "Feature" as const,
      id: cell,
      properties: { cell },
      geometry: { type: "Polygon" as const, coordinates: coordinates.map((ring) => ring.map((point) => [...point])) },
    }));
  map.hideCells(retired);
  map.put("divided", { type: "FeatureCollection", features });
}

/** Begin anew on another ground; what waits to be sent is kept and taken up again. */
function reground(): void {
  window.location.reload();
}

/** Put everything around the map and bring it to life. */
function dress(body: HTMLElement, stage: HTMLElement, session: Session): void {
  const { store, sync, map, info } = session;
  const hands = new Hands(session, stage);
  const commands = commandsOf(session);
  const panels: Panel[] = [toolbar(store), header(session, commands), hintLine(), hoverCard(session), strokeCard(session), proposalBar(session), messageBar(session), finder(session), furniture(session)];
  const [tools, top, hint, ...floating] = panels as [Panel, Panel, Panel, ...Panel[]];
  const side = sidePanels(session);
  stage.append(...floating.map((panel) => panel.element));
  body.append(tools.element, top.element, hint.element, side.element);
  body.dataset["open"] = "true";
  const all = [...panels, side];
  store.subscribe((now, before) => {
    for (const panel of all) panel.render(now, before);
    if (now.chosen !== before.chosen) session.painter.choose(now.chosen);
    if (now.layers !== before.layers) for (const name of new Set([...now.layers, ...before.layers])) map.show(name, now.layers.has(name));
  });
  for (const panel of all) panel.render(store.now, null);
  listen(session, hands, commands);
  sync.resume(recall(info.id));
  window.setInterval(() => {
    if (!session.trying && document.visibilityState === "visible") void sync.pull();
  }, POLL_MS);
  map.gl.on("idle", () => (stage.dataset["idle"] = "true"));
  map.gl.triggerRepaint();
}

function commandsOf(session: Session): Commands {
  return {
    undo: () => session.command({ kind: "undo" }),
    redo: () => session.command({ kind: "redo" }),
    nextProblem: (back) => nextProblem(session, back),
    help: () => session.store.set({ panel: "parameters" }),
  };
}

/** Go to the next grid with something wrong, the worst kind first. */
function nextProblem(session: Session, back: boolean): void {
  const { plan, store } = session;
  const wrong = [...plan.grids.keys()].filter((grid) => problemsOf(plan, grid).length > 0).sort((a, b) => a - b);
  if (wrong.length === 0) {
    store.set({ hint: t("no_problems") });
    return;
  }
  const [now] = store.now.chosen;
  const at = now === undefined ? -1 : wrong.indexOf(now);
  const next = wrong[(at + (back ? -1 : 1) + wrong.length) % wrong.length] as number;
  store.set({ chosen: new Set([next]), grid: next, hint: problemsOf(plan, next).map((problem) => t(`problem_${problem}`)).join(" · ") });
  session.goTo(plan.cellsOf(next));
}

function noMap(main: HTMLElement): HTMLElement {
  return h(
    "section",
    { class: "card notice warning", role: "alert" },
    h("h2", {}, t("no_webgl")),
    h("p", {}, t("no_webgl_hint")),
    h("p", {}, h("a", { class: "button", href: main.dataset["back"] ?? "/" }, t("to_map"))),
  );
}

function failed(message: string, again: () => void): HTMLElement {
  return h(
    "section",
    { class: "card notice error", role: "alert" },
    h("h2", {}, t("failed")),
    h("p", {}, message),
    h("p", {}, h("button", { type: "button", class: "button primary", click: again }, t("retry"))),
  );
}
