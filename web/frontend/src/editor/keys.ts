import type { Hands } from "./tools/hands";
import type { Session } from "./session";
import { type ToolName } from "./store";

/** The key of every tool. */
export const KEYS: Readonly<Record<ToolName, string>> = {
  select: "v",
  brush: "b",
  box: "r",
  lasso: "l",
  flood: "f",
  sweep: "s",
  split: "x",
  encircle: "e",
  divide: "d",
  parts: "p",
  merge: "m",
  new: "n",
  lock: "k",
};

const BRUSH_STEP = 1.25;
const LEAST_PX = 4;
const MOST_PX = 160;

export interface Commands {
  undo(): void;
  redo(): void;
  nextProblem(back: boolean): void;
  help(): void;
}

/** Give every tool and command its key; what is typed into a field stays there. */
export function listen(session: Session, hands: Hands, commands: Commands): void {
  const { store } = session;
  const tools = new Map(Object.entries(KEYS).map(([tool, key]) => [key, tool as ToolName]));
  const plain: Readonly<Record<string, (event: KeyboardEvent) => void>> = {
    "[": () => store.set({ brush: Math.max(LEAST_PX, store.now.brush / BRUSH_STEP) }),
    "]": () => store.set({ brush: Math.min(MOST_PX, store.now.brush * BRUSH_STEP) }),
    escape: () => {
      hands.cancel();
      session.giveUp();
    },
    enter: (event) => enter(session, hands, event),
    " ": () => hands.pan(true),
    "?": () => commands.help(),
    j: (event) => commands.nextProblem(event.shiftKey),
    g: () => hands.pickMiddle(),
    ".": () => hands.focus(),
    "0": () => session.map.whole(),
  };
  document.addEventListener("keydown", (event) => {
    // A dialog that is open has the keys to itself.
    if (event.defaultPrevented || isTyping(event.target) || document.querySelector("dialog[open]") !== null) return;
    const key = event.key.toLowerCase();
    if (event.ctrlKey || event.metaKey) {
      history(event, key, commands);
      return;
    }
    if (isButton(event.target) && (key === "enter" || key === " ")) return;
    const tool = tools.get(key);
    const act = plain[key];
    if (event.altKey && key !== "enter") return;
    if (act === undefined && tool === undefined) return;
    event.preventDefault();
    if (act !== undefined) act(event);
    else if (tool !== undefined) store.set({ tool });
  });
  document.addEventListener("keyup", (event) => {
    if (event.key === " ") hands.pan(false);
  });
}

function enter(session: Session, hands: Hands, event: KeyboardEvent): void {
  if (session.store.now.proposal?.state === "shown") session.accept();
  else if (document.activeElement === session.map.gl.getCanvas()) hands.act(event.altKey, event.shiftKey);
  else hands.confirm();
}

function history(event: KeyboardEvent, key: string, commands: Commands): void {
  if (key !== "z" && key !== "y") return;
  event.preventDefault();
  if (key === "y" || event.shiftKey) commands.redo();
  else commands.undo();
}

function isTyping(target: EventTarget | null): boolean {
  return (target instanceof HTMLInputElement && target.type !== "checkbox") || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement;
}

function isButton(target: EventTarget | null): boolean {
  return target instanceof HTMLButtonElement || target instanceof HTMLAnchorElement || target instanceof HTMLInputElement || (target instanceof HTMLElement && target.tagName === "SUMMARY");
}
