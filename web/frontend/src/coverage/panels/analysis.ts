import { h, say, wide } from "../../shared/dom";
import { either, number, percent, t } from "../i18n";
import type { State } from "../state";
import type { Context, Panel } from "./panel";

interface Row {
  readonly text: string;
  readonly value: number;
  readonly shown: string;
  readonly out?: boolean;
}

/** A table of figures with a bar behind each. */
function bars(rows: readonly Row[]): HTMLElement {
  const most = rows.reduce((top, row) => Math.max(top, row.value), 1);
  return h(
    "table",
    { class: "bars" },
    h(
      "tbody",
      {},
      ...rows.map((row) => {
        const fill = h("span", { class: row.out === true ? "fill out" : "fill" });
        wide(fill, row.value / most);
        return h(
          "tr",
          {},
          h("th", { scope: "row" }, row.text),
          h("td", { class: "track", "aria-hidden": "true" }, fill),
          h("td", { class: "num" }, row.shown),
        );
      }),
    ),
  );
}

/** Categories reached, distances, communities, and what was noticed in the data. */
export function analysisPanel(_context: Context): Panel {
  const reached = h("div");
  const bands = h("div");
  const communities = h("div");
  const findings = h("ul", { class: "found" });
  const network = h("p", { class: "muted" });
  const time = h("p", { class: "muted" });
  const element = h(
    "section",
    { class: "stack", "aria-label": t("analysis") },
    h("div", {}, h("h2", {}, t("reached")), reached),
    h("div", {}, h("h2", {}, t("bands")), bands),
    h("div", {}, h("h2", {}, t("by_community")), communities),
    h("details", {}, h("summary", {}, t("findings")), network, findings, time),
  );
  let drawn: unknown = null;
  const render = ({ answer, overview }: State): void => {
    if (answer === null || answer === drawn) return;
    drawn = answer;
    reached.replaceChildren(
      bars(answer.reached.map((n, k) => ({ text: t("reached_row", { n: k }), value: n, shown: number(n) })).reverse()),
    );
    bands.replaceChildren(
      bars(
        answer.bands.map(({ from, to, households }) => ({
          text: to === null ? t("band_beyond", { from }) : t("band", { from, to }),
          value: households,
          shown: number(households),
          out: from >= answer.radius_m - 1,
        })),
      ),
    );
    communities.replaceChildren(
      bars(
        overview.communities.map(({ row, name, households }) => {
          const share = households === 0 ? null : (answer.communities[row] ?? 0) / households;
          return { text: name, value: share ?? 0, shown: percent(share) };
        }),
      ),
    );
    const { network: net } = overview;
    const shares = { before: percent(net?.connected_before ?? null), after: percent(net?.connected_after ?? null) };
    say(network, net === null ? t("no_streets") : t("network_connected", shares));
    const seen = new Set<string>();
    const all = [...overview.findings, ...answer.findings].filter(({ en }) => !seen.has(en) && seen.add(en));
    findings.replaceChildren(...all.map(({ zh, en, severity }) => h("li", { class: severity }, either(zh, en))));
    say(time, t("computed_in", { ms: answer.ms }));
  };
  return { element, render };
}
