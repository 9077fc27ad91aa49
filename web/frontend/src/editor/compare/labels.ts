import { either, t } from "../../shared/i18n";
import type { PlanEntry } from "../api";
import type { Place } from "../model/ground";
import type { GridRecord } from "../model/plan";
import { shortCode } from "../paint";
import type { Descent } from "./answer";
import type { Line } from "./table";

const OLD = "old-grids";
const OLD_NAME = "原有网格 Old grids";

/** Whether a plan is the division that the city had before, as it was read. */
export function isOld(plan: Pick<PlanEntry, "parameters" | "parent">): boolean {
  return plan.parent === null && plan.parameters["source"] === OLD;
}

/** Name a plan; the old division, unless it was renamed, in the reader's language alone. */
export function planName(plan: Pick<PlanEntry, "name" | "parameters" | "parent">): string {
  return isOld(plan) && plan.name === OLD_NAME ? t("compare_old") : plan.name;
}

/** Put plans in the order of their likely use: the old division, then newest first. */
export function choices(plans: readonly PlanEntry[], own: { readonly id: string; readonly dataset: string }): PlanEntry[] {
  const others = plans.filter(({ id, dataset }) => id !== own.id && dataset === own.dataset);
  return [...others.filter(isOld), ...others.filter((plan) => !isOld(plan))];
}

/** Write what the service says of one side as lines of the table. */
export function linesOf(
  side: readonly Descent[],
  others: readonly Descent[],
  places: readonly Place[],
  records: { readonly side: ReadonlyMap<number, GridRecord>; readonly others: ReadonlyMap<number, GridRecord> },
): Line[] {
  const byId = new Map(others.map((grid) => [grid.id, grid]));
  return side.map((grid) => {
    const main = grid.main === null ? undefined : byId.get(grid.main);
    return {
      grid: grid.id,
      name: short(grid, records.side.get(grid.id), places),
      title: `${grid.code} ${grid.name}${main === undefined ? "" : either(`（${main.code} ${main.name}）`, ` (${main.code} ${main.name})`)}`,
      relative: main === undefined ? t("compare_nothing") : short(main, records.others.get(main.id), places),
      kind: grid.kind,
      households: grid.households,
      moved: grid.moved ?? 0,
    };
  });
}

/** A name that begins with its community needs no more than that and the number; any other is shown as it is. */
function short({ code, name }: Descent, record: GridRecord | undefined, places: readonly Place[]): string {
  const place = record === undefined ? "" : (places[record.community]?.name ?? "");
  return place !== "" && name.startsWith(place) ? `${place.replace(/社区$/, "")} ${shortCode(code)}` : name;
}
