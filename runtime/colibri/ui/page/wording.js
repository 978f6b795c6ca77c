/** How the page says a place, a size, a day, a language, a number. */

const NUMBER = new Intl.NumberFormat("en");
const DAY = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });
const LANGUAGE = new Intl.DisplayNames("en", { type: "language", fallback: "code" });
export const FITS = { likely: "likely", maybe: "maybe", unlikely: "unlikely" };

/** 12,345 */
export function number(value) {
  return NUMBER.format(value);
}

/** 1 file, 2 files */
export function counted(count, one, many = `${one}s`) {
  return `${number(count)} ${count === 1 ? one : many}`;
}

/** A name or path as it is shown: what would turn the letters after it around, or break the line, is made visible. */
export function visible(name) {
  return name.replace(/[\p{Cc}\u200e\u200f\u061c\u2028-\u202e\u2066-\u2069]/gu, "\ufffd");
}

/** page 14; line 12, Kettles; slide 3: what the file has. A label is a heading, a cell, or the page once more. */
export function place({ page, line, label }) {
  if (page) return `page ${number(page)}`;
  return [line ? `line ${number(line)}` : null, label || null].filter(Boolean).join(", ");
}

/** 3 May 2025, as the reader's system writes it; nothing where there is none. */
export function day(when) {
  const date = new Date(when ?? NaN);
  return Number.isNaN(date.valueOf()) ? "" : DAY.format(date);
}

/** 1.2 MB */
export function size(bytes) {
  if (!(bytes >= 0)) return "";
  const units = ["B", "kB", "MB", "GB", "TB"];
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  const value = bytes / 1000 ** power;
  return `${value < 10 && power ? value.toFixed(1) : Math.round(value)} ${units[power]}`;
}

/** German, for de; what is no tag is shown as it is. */
export function language(tag) {
  if (!tag || tag === "unknown") return "not known";
  try {
    return LANGUAGE.of(tag);
  } catch {
    return tag;
  }
}

/** A tag that may stand in an attribute, else null. */
export function languageTag(tag) {
  try {
    return tag ? Intl.getCanonicalLocales(tag)[0] : null;
  } catch {
    return null;
  }
}

/** 40 s, 3 min, 2 h */
export function span(seconds) {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}
