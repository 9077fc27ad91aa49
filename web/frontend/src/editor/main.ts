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
import { EditorMap, type TileSet, canDraw } from "./map/map";
import { TilesFailed, baked, openingPanel } from "./opening";
import { Painter } from "./paint";
import { hintLine, hoverCard, messageBar, proposalBar, strokeCard } from "./panels/bars";
import { conflictsPanel } from "./panels/conflicts";
import { finder } from "./panels/finder";
import { furniture } from "./panels/furniture";
import { preparePrint } from "./panels/print";
import { header } from "./panels/header";
import { icon } from "./panels/icons";
import type { Panel } from "./panels/panel";
import { sidePanels } from "./panels/side";
import { toolbar } from "./panels/toolbar";
import { mayChange } from "./reading";
import { Session } from "./session";
import { type State, Store, firstState } from "./store";
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
    const message = told ? error.message : error instanceof Offline ? t("unreachable") : t("error");
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
  // Everything is asked for at once; the map is made while it comes.
  const [map, info, ground, { revision, cells }, loads, grids] = await Promise.all([
    tilesOf(main, api, opening).then(async (tiles) => {
      body.prepend(...standIns(), stage);
      body.dataset["open"] = "true";
      const made = new EditorMap(frame, api.tilesUrl(dataset), tiles);
      await made.ready();
      return made;
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
  drawDivided(map, info.divisions);
  session.painter.draw();
  opening.element.remove();
  dress(body, stage, session);
  stage.dataset["ready"] = "true";
}

/** The tiles as the page says them; asked for, and waited for, where it says nothing. */
async function tilesOf(main: HTMLElement, api: EditorApi, opening: ReturnType<typeof openingPanel>): Promise<TileSet> {
  const said = JSON.parse(main.dataset["tiles"] ?? "null") as TileSet | null;
  return said ?? (await baked(api, main.dataset["dataset"] ?? "", opening.show));
}

/** Hold the places above and below the map, so that it has its size from the beginning: another one is a map drawn anew. */
function standIns(): HTMLElement[] {
  const button = h("span", { class: "tool small" }, icon("undo"));
  const both = [h("div", { class: "verdict", "data-stand-in": true }, h("div", { class: "commands" }, button)), h("p", { class: "hint", "data-stand-in": true }, t("hint_select"))];
  for (const one of both) one.style.visibility = "hidden";
  return both;
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

/** Make the map usable: tools, verdict and hint around it, and whoever listens; everything else once that is drawn. */
function dress(body: HTMLElement, stage: HTMLElement, session: Session): void {
  const { store, sync, map, info } = session;
  const hands = new Hands(session, stage);
  let help = (): void => undefined;
  const commands: Commands = { ...commandsOf(session), help: () => help() };
  const conflicts = conflictsPanel(session);
  session.onClash((conflict) => conflicts.clashes.add(conflict));
  const [tools, top, hint] = [toolbar(store, mayChange(info)), header(session, commands), hintLine()];
  for (const standIn of body.querySelectorAll("[data-stand-in]")) standIn.remove();
  stage.before(tools.element, top.element);
  body.append(hint.element);
  const all: Panel[] = [tools, top, hint];
  const show = oncePerFrame(store, all);
  store.subscribe((now, before) => {
    show(now, before);
    if (now.chosen !== before.chosen) session.painter.choose(now.chosen);
    if (now.layers !== before.layers) for (const name of new Set([...now.layers, ...before.layers])) map.show(name, now.layers.has(name));
  });
  for (const panel of all) panel.render(store.now, null);
  listen(session, hands, commands);
  sync.resume(recall(info.id));
  map.onDrawn(() => {
    stage.dataset["usable"] = "true";
    // Once that frame is on the screen: it can be worked with while the rest comes.
    const rest = (): void => {
      all.push(...surround(body, stage, session, conflicts));
      complete(session, stage);
      keepInStep(session, body, stage);
      help = addHelp(body, body.closest("main")?.dataset["demo"] === "true");
    };
    requestAnimationFrame(() => requestAnimationFrame(() => window.setTimeout(rest)));
  });
  map.gl.triggerRepaint();
}

/** Draw panels at once, but what follows the pointer or the service (the plan and what is on its way, the cell hovered over) once a frame. */
function oncePerFrame(store: Store, panels: readonly Panel[]): (now: State, before: State) => void {
  let drawn = store.now;
  let frame = 0;
  const draw = (): void => {
    window.cancelAnimationFrame(frame);
    frame = 0;
    const start = performance.now();
    const [now, before] = [store.now, drawn];
    drawn = now;
    for (const panel of panels) panel.render(now, before);
    performance.measure("panels", { start });
    performance.clearMeasures("panels");
  };
  return (now, before) => {
    const { version, hover, sync } = before;
    const isFlow = Object.entries({ ...now, version, hover, sync }).every(([name, value]) => before[name as keyof State] === value);
    if (isFlow) frame ||= window.requestAnimationFrame(draw);
    else draw();
  };
}

/** Put the panels at the side of the map and on it. */
function surround(body: HTMLElement, stage: HTMLElement, session: Session, conflicts: Panel): Panel[] {
  const floating = [hoverCard(session), strokeCard(session), proposalBar(session), messageBar(session), finder(session), furniture(session), conflicts];
  const side = sidePanels(session);
  stage.append(...floating.map((panel) => panel.element));
  body.append(side.element);
  const panels = [...floating, side];
  for (const panel of panels) panel.render(session.store.now, null);
  return panels;
}

/** Add what makes the map complete, and what the page does from then on. */
function complete(session: Session, stage: HTMLElement): void {
  const { map, painter, store, sync } = session;
  painter.write();
  map.gl.once("idle", () => map.decorate((name) => store.now.layers.has(name)));
  map.gl.on("idle", () => (stage.dataset["idle"] = "true"));
  void offerBaseMaps(session);
  preparePrint(session);
  window.setInterval(() => {
    if (!session.trying && document.visibilityState === "visible") void sync.pull();
  }, POLL_MS);
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
