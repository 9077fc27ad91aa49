import { t } from "../../shared/i18n";
import type { Session } from "../session";
import type { ToolName } from "../store";

/** Tools whose edits only the service can work out. */
const NEED_SERVICE: ReadonlySet<ToolName> = new Set(["split", "divide", "parts", "merge", "lock"]);
/** Strokes that wait can be taken back without the service. */
const COMMANDS = ["redo"] as const;

/** While the service is away say so, close what needs it, and send what waits as soon as it is back. */
export function watchConnection(session: Session, body: HTMLElement): void {
  const { store, sync } = session;
  const closed = [...NEED_SERVICE].map((tool) => `[data-tool="${tool}"]`).concat(COMMANDS.map((name) => `[data-command="${name}"]`));
  const show = (online: boolean): void => {
    body.dataset["online"] = String(online);
    for (const button of body.querySelectorAll<HTMLElement>(closed.join(","))) {
      button.toggleAttribute("data-closed", !online);
      if (online) button.removeAttribute("aria-disabled");
      else button.setAttribute("aria-disabled", "true");
    }
  };
  body.addEventListener(
    "click",
    (event) => {
      if (!(event.target instanceof Element) || event.target.closest("[data-closed]") === null) return;
      event.stopPropagation();
      event.preventDefault();
      store.set({ hint: t("offline_needs") });
    },
    true,
  );
  store.subscribe((now, before) => {
    if (now.sync.online === before.sync.online) return;
    show(now.sync.online);
    if (now.sync.online) sync.flush();
    // A tool that was in use stays chosen; its next stroke says why it does nothing.
    store.set({ hint: t(now.sync.online ? "online_again" : "offline_now") });
  });
  window.addEventListener("online", () => {
    sync.flush();
    void sync.pull();
  });
}
