import { h } from "../../shared/dom";
import { either, t } from "../../shared/i18n";
import type { EditInfo } from "../api";
import { nameOfUser } from "../names";
import type { Session } from "../session";
import type { Panel } from "./panel";

const SHOWN = 200;

/** The last edits of all planners, newest first. */
export function historyPanel(session: Session): Panel {
  const list = h("ol", { class: "edits", reversed: true });
  const element = h("section", { class: "history" }, h("p", { class: "caption" }, t("history_caption")), list);
  let revision = -1;
  return {
    element,
    render(now): void {
      if (now.panel !== "history" || now.sync.revision === revision) return;
      revision = now.sync.revision;
      void session.api.log(Math.max(0, revision - SHOWN)).then(
        (edits) => {
          const undone = takenBack(edits);
          list.replaceChildren(...edits.toReversed().map((edit) => line(edit, undone.has(edit.revision))));
        },
        () => (revision = -1),
      );
    },
  };
}

/** Find the edits that were taken back and not made again since. */
function takenBack(edits: readonly EditInfo[]): Set<number> {
  const undone = new Set<number>();
  for (const { undoes, redoes } of edits) {
    if (undoes !== null) undone.add(undoes);
    if (redoes !== null) undone.delete(redoes);
  }
  return undone;
}

function line(edit: EditInfo, undone: boolean): HTMLElement {
  const when = new Date(edit.at);
  return h(
    "li",
    { class: undone ? "undone" : null, value: edit.revision },
    h("span", { class: "what" }, either(edit.summary_zh, edit.summary_en)),
    h("span", { class: "who" }, `${nameOfUser(edit.user.name)} · ${when.toLocaleTimeString(either("zh-CN", "en-GB"), { hour: "2-digit", minute: "2-digit" })}`),
  );
}
