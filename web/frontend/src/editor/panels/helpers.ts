import { h } from "../../shared/dom";
import { alternativesPart } from "../helpers/alternatives";
import { mendPart } from "../helpers/mend";
import { redrawPart } from "../helpers/redraw";
import { ScopeChoice } from "../helpers/choice";
import type { Session } from "../session";
import type { Panel } from "./panel";

/** What the service can do with many grids at once; everything is looked at before it is made. */
export function helpersPanel(session: Session): Panel {
  const choice = new ScopeChoice(session);
  const parts: Panel[] = [choice, redrawPart(session, choice), mendPart(session, choice), alternativesPart(session, choice)];
  const element = h("section", { class: "helpers" }, ...parts.map((part) => part.element));
  return {
    element,
    render(now, before): void {
      for (const part of parts) part.render(now, before);
    },
  };
}
