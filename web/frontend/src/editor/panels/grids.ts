import { h } from "../../shared/dom";
import { GridCard } from "../helpers/card";
import type { Session } from "../session";
import { histogram } from "./histogram";
import type { Panel } from "./panel";
import { gridTable } from "./table";

/** Balance at a glance, the grid that is chosen, then every grid. */
export function gridsPanel(session: Session): Panel {
  const parts = [histogram(session.plan), new GridCard(session), gridTable(session)];
  const element = h("section", { class: "grids" }, ...parts.map((part) => part.element));
  return {
    element,
    render(now, before): void {
      for (const part of parts) part.render(now, before);
    },
  };
}
