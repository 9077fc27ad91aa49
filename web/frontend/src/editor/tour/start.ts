import { h } from "../../shared/dom";
import { t } from "../../shared/i18n";
import { helpSheet } from "./help";
import { Tour, tourSeen } from "./tour";

/** Put the help button, the sheet of shortcuts and the tour on the page; the tour opens by itself on the demo. */
export function addHelp(body: HTMLElement, demo: boolean): () => void {
  const tour = new Tour(body);
  const sheet = helpSheet(() => tour.open());
  const open = (): void => {
    if (!sheet.open && !tour.element.open) sheet.showModal();
  };
  const button = h("button", { type: "button", class: "tool small help", title: t("help"), "aria-label": t("help"), "data-command": "help", click: open }, h("span", { class: "mark", "aria-hidden": "true" }, "?"));
  body.querySelector(".verdict .commands")?.append(button);
  body.append(sheet, tour.element);
  if (demo && !tourSeen()) tour.open();
  return open;
}
