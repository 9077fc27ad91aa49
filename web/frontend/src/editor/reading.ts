import { t } from "../shared/i18n";
import type { PlanInfo } from "./api";

/** Plans of these states take no edits; a branch of one does. */
const CLOSED: ReadonlySet<string> = new Set(["approved", "published"]);

/** Whether the reader may change this plan, as it stands now. */
export function mayChange(info: PlanInfo): boolean {
  return info.may_edit && !CLOSED.has(info.status);
}

/** Say why a plan can only be read. */
export function whyReadOnly(info: PlanInfo): string {
  return info.may_edit ? t("read_only_closed", { status: t(`status_${info.status}`).toLowerCase() }) : t("read_only_viewer");
}
