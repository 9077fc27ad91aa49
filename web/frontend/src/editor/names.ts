import { t } from "../shared/i18n";

/** What the service calls its only user where nobody signs in: both languages in one name. */
const LOCAL = "本机用户 Local user";

/** Return the name of a user as the reader reads it. */
export function nameOfUser(name: string): string {
  return name === LOCAL ? t("local_user") : name;
}
