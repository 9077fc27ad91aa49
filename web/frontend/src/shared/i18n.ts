export type Language = "zh" | "en";
type Values = Readonly<Record<string, string | number>>;

let language: Language = "zh";
let words: Readonly<Record<string, string>> = {};

/** Take the language of the page and its texts. */
export function setWords(chosen: Language, texts: Readonly<Record<string, string>>): void {
  language = chosen;
  words = texts;
}

/** Return the texts of one language from a table of Chinese and English side by side. */
export function inLanguage(
  chosen: Language,
  table: Readonly<Record<string, readonly [string, string]>>,
): Record<string, string> {
  return Object.fromEntries(Object.entries(table).map(([key, pair]) => [key, pair[chosen === "zh" ? 0 : 1]]));
}

/** Return a text of the page, its places filled. */
export function t(key: string, values: Values = {}): string {
  const text = words[key];
  if (text === undefined) {
    console.error(`no text for ${key}`);
    return key;
  }
  return text.replace(/\{(\w+)\}/g, (place, name: string) => {
    const value = values[name];
    if (value === undefined) return place;
    return typeof value === "number" ? number(value) : value;
  });
}

/** Whether there is such a text. */
export function known(key: string): boolean {
  return key in words;
}

/** Return the one of two texts that the reader reads. */
export function either(zh: string, en: string): string {
  return language === "zh" ? zh : en;
}

function formats(): string {
  return language === "zh" ? "zh-CN" : "en-GB";
}

/** Write a number with separators, whole unless digits are asked for. */
export function number(value: number, digits = 0): string {
  return value.toLocaleString(formats(), { maximumFractionDigits: digits, minimumFractionDigits: 0 });
}

/** Write a share in percent with one digit; what is not all never reads as 100. */
export function percent(share: number | null): string {
  if (share === null) return "–";
  const shown = share < 1 ? Math.min(99.9, Math.round(share * 1000) / 10) : 100;
  return `${shown.toLocaleString(formats(), { minimumFractionDigits: 1, maximumFractionDigits: 1 })}\u00a0%`;
}

/** Write a change with its sign; a true minus, so that it is read as one. */
export function signed(value: number): string {
  if (value === 0) return "±0";
  return `${value > 0 ? "+" : "−"}${number(Math.abs(value))}`;
}
