import { ApiError } from "../api";
import { h, say } from "../../shared/dom";
import { t } from "../i18n";
import { solveBody } from "../state";
import type { Context, Panel } from "./panel";

const FILES = ["coverage.gpkg", "coverage.json", "buildings.csv", "gaps.csv", "communities.csv", "grids.csv"] as const;

/** Downloads of what is shown, the changes included. */
export function exportsPanel({ store, api }: Context): Panel {
  const message = h("p", { class: "hint", role: "status" });
  const files = FILES.filter((name) => name !== "grids.csv" || store.now.overview.grids);
  const fetchFile = async (name: string, button: HTMLButtonElement): Promise<void> => {
    const { question, edits } = store.now;
    button.disabled = true;
    say(message, t("downloading"));
    try {
      save(await api.exported(name, solveBody(question, edits, true)), name);
      say(message, "");
    } catch (error) {
      say(message, error instanceof ApiError ? error.message : String(error));
    }
    button.disabled = false;
  };
  const list = files.map((name) => {
    const button = h("button", { type: "button", "data-export": name }, h("strong", {}, name), h("span", { class: "muted" }, t(`export_${name}`)));
    button.addEventListener("click", () => void fetchFile(name, button));
    return h("li", {}, button);
  });
  const element = h(
    "section",
    { "aria-label": t("export") },
    h("h2", {}, t("export")),
    h("p", { class: "muted" }, t("export_hint")),
    h("ul", { class: "exports" }, ...list),
    message,
  );
  return { element, render: () => undefined };
}

function save(content: Blob, name: string): void {
  const url = URL.createObjectURL(content);
  h("a", { href: url, download: name }).click();
  window.setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
