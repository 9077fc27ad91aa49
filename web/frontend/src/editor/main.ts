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
import { Offline, Sync } from "./model/sync";
import { problemWalk } from "./helpers/next-problem";
import { drawDivided } from "./map/divided";
import { offerBaseMaps } from "./map/base";
import { EditorMap, canDraw } from "./map/map";
import { TilesFailed, baked, openingPanel } from "./opening";
import { Painter } from "./paint";
import { hintLine, hoverCard, messageBar, proposalBar, strokeCard } from "./panels/bars";
import { conflictsPanel } from "./panels/conflicts";
import { finder } from "./panels/finder";
import { furniture } from "./panels/furniture";
import { preparePrint } from "./panels/print";
import { header } from "./panels/header";
import type { Panel } from "./panels/panel";
import { sidePanels } from "./panels/side";
import { toolbar } from "./panels/toolbar";
import { Session } from "./session";
import { Store, firstState } from "./store";
import { keepInStep } from "./together/start";
import { Hands } from "./tools/hands";
import { addHelp } from "./tour/start";
import { WORDS } from "./words";

const POLL_MS = 1200;

const found = document.querySelector("main#editor");
if (found instanceof HTMLElement) {
  const language = found.dataset["lang"] === "en" ? "en" : "zh";
  setWords(language, inLanguage(language, WORDS));
  void open(found);
}

async function open(main: HTMLElement): Promise<void> {
  const opening = openingPanel();
  const body = h("div", { class: "body", "aria-busy": true }, opening.element);
  main.append(body);
  const api = new EditorApi(main.dataset["api"] ?? "/api/v1", main.dataset["plan"] ?? "");
  try {
    await start(main, body, api, opening);
  } catch (error) {
    // Looked at only now: asking the graphics card takes as long as beginning a map.
    if (!canDraw()) {
      body.replaceChildren(noMap(main));
      return;
    }
    const told = error instanceof ApiError || error instanceof TilesFailed;
    const message = told ? error.message : error instanceof Offline ? t("offline_needs") : t("error");
    body.replaceChildren(failed(main, message, () => void reopen(main, body)));
    if (!told && !(error instanceof Offline)) throw error;
  } finally {
    body.removeAttribute("aria-busy");
  }
}

async function reopen(main: HTMLElement, body: HTMLElement): Promise<void> {
  body.remove();
  await open(main);
}

async function start(main: HTMLElement, body: HTMLElement, api: EditorApi, opening: ReturnType<typeof openingPanel>): Promise<void> {
  const dataset = main.dataset["dataset"] ?? "";
  const frame = h("div", { class: "map", id: "map" });
  const stage = h("div", { class: "stage" }, frame);
  // Everything is asked for at once; the map fetches its tiles while the model is built.
  const [map, info, ground, { revision, cells }, loads, grids] = await Promise.all([
    baked(api, dataset, opening.show).then((tiles) => {
      body.prepend(stage);
      return new EditorMap(frame, api.tilesUrl(dataset), tiles);
    }),
    api.info(),
    api.ground(dataset).then(readGround),
    api.assignment(),
    api.loads(),
    api.grids(),
  ]);
  if (ground.cells === 0) {
    body.replaceChildren(notice(main, "empty_plan", "empty_plan_hint", "to_project"));
    return;
  }
  const plan = new PlanModel(withDivisions(ground, cells.length, info.divisions), info.standard, loads, cells, grids);
  for (const cell of info.pinned) plan.pinned[cell] = 1;
  const session = assemble(api, info, plan, map, revision);
  await map.ready();
  drawDivided(map, info.divisions);
  session.painter.all();
  opening.element.remove();
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
      before: () => session.lift(),
      touched: (touched) => session.shown(touched),
      regrounded: reground,
      state: (state) => store.set({ sync: state }),
      conflict: (conflict) => session.clash(conflict),
    },
    keep: (pending) => remember(info.id, pending),
  });
  const session: Session = new Session({ api, plan, places, colours, map, painter, store, sync, info });
  return session;
}

/** Begin anew on another ground; what waits to be sent is kept and taken up again. */
function reground(): void {
  window.location.reload();
}

/** Put everything around the map and bring it to life. */
function dress(body: HTMLElement, stage: HTMLElement, session: Session): void {
  const { store, sync, map, info } = session;
  const hands = new Hands(session, stage);
  let help = (): void => undefined;
  const commands: Commands = { ...commandsOf(session), help: () => help() };
  const conflicts = conflictsPanel(session);
  session.onClash((conflict) => conflicts.clashes.add(conflict));
  const panels: Panel[] = [toolbar(store), header(session, commands), hintLine(), hoverCard(session), strokeCard(session), proposalBar(session), messageBar(session), finder(session), furniture(session), conflicts];
  const [tools, top, hint, ...floating] = panels as [Panel, Panel, Panel, ...Panel[]];
  const side = sidePanels(session);
  stage.append(...floating.map((panel) => panel.element));
  stage.before(tools.element, top.element);
  body.append(hint.element, side.element);
  body.dataset["open"] = "true";
  const all = [...panels, side];
  store.subscribe((now, before) => {
    for (const panel of all) panel.render(now, before);
    if (now.chosen !== before.chosen) session.painter.choose(now.chosen);
    if (now.layers !== before.layers) for (const name of new Set([...now.layers, ...before.layers])) map.show(name, now.layers.has(name));
  });
  for (const panel of all) panel.render(store.now, null);
  listen(session, hands, commands);
  preparePrint(session);
  keepInStep(session, body, stage);
  help = addHelp(body, body.closest("main")?.dataset["demo"] === "true");
  sync.resume(recall(info.id));
  window.setInterval(() => {
    if (!session.trying && document.visibilityState === "visible") void sync.pull();
  }, POLL_MS);
  map.gl.once("idle", () => map.decorate((name) => store.now.layers.has(name)));
  map.gl.on("idle", () => (stage.dataset["idle"] = "true"));
  void offerBaseMaps(session);
  map.gl.triggerRepaint();
}

function commandsOf(session: Session): Omit<Commands, "help"> {
  return {
    undo: () => session.command({ kind: "undo" }),
    redo: () => session.command({ kind: "redo" }),
    nextProblem: problemWalk(session),
  };
}

function noMap(main: HTMLElement): HTMLElement {
  return notice(main, "no_webgl", "no_webgl_hint", "to_map");
}

function notice(main: HTMLElement, title: string, hint: string, link: string): HTMLElement {
  return h(
    "section",
    { class: "card notice warning", role: "alert" },
    h("h2", {}, t(title)),
    h("p", {}, t(hint)),
    h("p", {}, h("a", { class: "button", href: main.dataset["back"] ?? "/" }, t(link))),
  );
}

function failed(main: HTMLElement, message: string, again: () => void): HTMLElement {
  return h(
    "section",
    { class: "card notice error", role: "alert" },
    h("h2", {}, t("failed")),
    h("p", {}, message),
    h(
      "p",
      { class: "answers" },
      h("button", { type: "button", class: "button primary", click: again }, t("retry")),
      h("a", { class: "button", href: main.dataset["back"] ?? "/" }, t("to_project")),
    ),
  );
}
