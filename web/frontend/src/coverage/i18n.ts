import { type Language, inLanguage, setWords } from "../shared/i18n";
import { MORE } from "./words";

export { either, known, number, percent, signed, t } from "../shared/i18n";

/** Take the texts that came with the page, in the language of the page. */
export function readTexts(main: HTMLElement): void {
  const language: Language = main.dataset["lang"] === "en" ? "en" : "zh";
  const embedded = main.querySelector("#coverage-texts")?.textContent ?? "{}";
  const all = JSON.parse(embedded) as Partial<Record<Language, Record<string, string>>>;
  setWords(language, { ...all[language], ...inLanguage(language, MORE) });
}
