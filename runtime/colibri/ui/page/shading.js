/**
 * Which words of a passage answered, and how much: matches become stretches of text, each with a step of one to five and
 * a step for every word of the query. Which word is lit is one attribute on the page; these rules do the rest.
 */

import { make } from "./dom.js";
import { utf16Places } from "./text.js";

export const STEPS = 5;

const BEFORE = 70; // characters before what answered
const BACK = 160; // more, so that a long word is whole

/** Step of a match's score, which is a share of the strongest answer: 0 is unshaded. */
export function step(score) {
  return score > 0 ? Math.min(STEPS, Math.ceil(score * STEPS)) : 0;
}

/**
 * The stretches of `text` that answered, in order, none overlapping: {start, end} in UTF-16, `score` the best of any
 * word, `words` a Map from a query word's number to its score.
 *
 * matches  of the server: {query: [start, end], text: [start, end], score}, in code points
 * words    of the query: {start, end}, in code points
 */
export function stretches(text, matches, words) {
  const place = utf16Places(text);
  const spans = [];
  for (const match of matches) {
    const [start, end] = [place(match.text[0]), place(match.text[1])];
    if (end > start && step(match.score)) spans.push({ start, end, score: match.score, word: wordOf(match.query, words) });
  }
  return merged(spans);
}

/** Number of the query's word that a match's piece of it lies in; -1 where it lies in none. */
function wordOf([start, end], words) {
  return words.findIndex((word) => start < word.end && end > word.start);
}

function merged(spans) {
  const cuts = [...new Set(spans.flatMap(({ start, end }) => [start, end]))].sort((a, b) => a - b);
  const found = cuts.slice(0, -1).map((start, i) => ({ start, end: cuts[i + 1], score: 0, words: new Map() }));
  const numbers = new Map(cuts.map((cut, i) => [cut, i]));
  for (const span of spans) {
    for (let i = numbers.get(span.start); i < numbers.get(span.end); i += 1) {
      found[i].score = Math.max(found[i].score, span.score);
      if (span.word >= 0) found[i].words.set(span.word, Math.max(found[i].words.get(span.word) || 0, span.score));
    }
  }
  return found.filter((stretch) => stretch.score > 0);
}

/** The text of [from, to) with its stretches as <mark>; everything else a text node. */
export function shaded(text, found, from = 0, to = text.length) {
  const whole = document.createDocumentFragment();
  let at = from;
  for (const { start, end, score, words } of found) {
    const [begin, finish] = [Math.max(start, at), Math.min(end, to)];
    if (finish <= begin) continue;
    if (begin > at) whole.append(text.slice(at, begin));
    const steps = [...words].map(([word, one]) => ` w${word}-${step(one)}`).join("");
    whole.append(make("mark", { class: `s${step(score)}${steps}` }, text.slice(begin, finish)));
    at = finish;
  }
  if (at < to) whole.append(text.slice(at, to));
  return whole;
}

let lightable = 0;
const sheet = new CSSStyleSheet();

/** See that each of so many words of a query can be lit. */
export function makeLightable(words) {
  if (!document.adoptedStyleSheets.includes(sheet)) document.adoptedStyleSheets.push(sheet);
  if (words <= lightable) return;
  lightable = words;
  const rules = [];
  for (let word = 0; word < words; word += 1) {
    for (let each = 1; each <= STEPS; each += 1) {
      rules.push(`[data-lit="${word}"] .w${word}-${each}{--back:var(--heat-${each});--ink:var(--heat-ink-${each});--line:var(--line-${each})}`);
    }
  }
  sheet.replaceSync(rules.join("\n"));
}

/**
 * The part of a passage worth showing in a list, [start, end) in UTF-16: about `most` characters, where most words of
 * the query are answered best, beginning and ending between words.
 */
export function excerpt(text, found, most = 420) {
  if (text.length <= most * 1.25) return [0, text.length];
  let best = [-1, 0];
  for (const first of found.length ? found : [{ start: 0 }]) {
    const start = Math.max(0, Math.min(first.start - BEFORE, text.length - most));
    const answered = new Map();
    for (const stretch of found) {
      if (stretch.start < first.start || stretch.end > start + most) continue;
      const words = stretch.words.size ? stretch.words : new Map([[-1, stretch.score]]);
      for (const [word, score] of words) answered.set(word, Math.max(answered.get(word) || 0, score));
    }
    const sum = [...answered.values()].reduce((a, b) => a + b, 0);
    if (sum > best[0] + 1e-9) best = [sum, start];
  }
  return betweenWords(text, best[1], Math.min(text.length, best[1] + most));
}

function betweenWords(text, start, end) {
  if (start > 0) {
    const line = text.lastIndexOf("\n", start);
    const next = text.slice(start, start + BEFORE + 1).search(/\s\S/); // not beyond what answered
    const back = text.slice(Math.max(0, start - BACK), start).match(/\s(\S*)$/); // no end in sight: to its beginning
    if (start - line < 40) start = line + 1;
    else if (next >= 0) start += next + 1;
    else if (back) start -= back[1].length;
  }
  if (end < text.length) {
    const back = text.slice(end - 40, end).search(/\s\S*$/);
    if (back >= 0) end = end - 40 + back;
  }
  return [wholeSign(text, start), wholeSign(text, end)];
}

/** Never between the halves of a character. */
function wholeSign(text, at) {
  const code = text.charCodeAt(at);
  return code >= 0xdc00 && code <= 0xdfff ? at - 1 : at;
}
