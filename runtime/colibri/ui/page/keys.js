/** Everything by keys. Single letters act only outside fields, and can be switched off (WCAG 2.1.4). */

import { cite, open, reveal } from "./actions.js";
import { at } from "./dom.js";
import { announce } from "./saying.js";

const KEPT = "colibri.single-keys";

/** Listen. page: {results, words, reader, search(), emptied(), context(hit), more()}. */
export function listen(page) {
  const single = at("single-keys");
  single.checked = kept() !== "off";
  single.addEventListener("change", () => keep(single.checked ? "on" : "off"));
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing || document.querySelector("dialog[open]")) return;
    if (handled(page, event, single.checked)) event.preventDefault();
  });
}

function handled(page, event, letters) {
  const { key, target } = event;
  if ((event.ctrlKey || event.metaKey) && !event.altKey && key.toLowerCase() === "k") return toBox();
  if (event.ctrlKey || event.metaKey || event.altKey) return false;
  if (target === at("query")) return inBox(page, key);
  if (target.matches("input:not([type=checkbox], [type=radio]), textarea, select")) return false;
  if (key === "Escape") return back(page);
  if (letters && key === "/") return toBox();
  if (letters && key === "?") return help();
  return target.closest("article") !== null && onPassage(page, event, letters);
}

function inBox(page, key) {
  if (key === "ArrowDown") return page.results.stand();
  if (key !== "Escape") return false;
  if (at("query").value) {
    at("query").value = "";
    page.emptied();
  }
  return true;
}

function onPassage(page, event, letters) {
  const { results } = page;
  const { key, target } = event;
  const moves = { ArrowDown: () => results.move(1) || page.more(), ArrowUp: () => results.move(-1) || toBox(), Home: () => results.end(false), End: () => results.end(true) };
  if (target.closest(".whole")) return false; // there the keys scroll the text
  if (key in moves) {
    moves[key]();
    return true;
  }
  const hit = results.current;
  if (!hit || (letters && letter(page, key, hit))) return hit !== null;
  if (target.closest("button, a, input")) return false;
  if (key === " ") return Boolean(page.context(hit)) || true;
  if (key !== "Enter") return false;
  openOrShow(page, hit, event.shiftKey);
  return true;
}

function letter(page, key, hit) {
  if (key === "c") cite(hit);
  else if (key === "w") announce(page.words.pinNext(), 0);
  else return false;
  return true;
}

/** Where the program cannot open files, as a server elsewhere, the text is shown instead. */
function openOrShow(page, hit, folder) {
  if (!page.results.canOpen || !hit.file.path || hit.file.gone) page.context(hit);
  else if (folder) reveal(hit.file, hit.passage);
  else open(hit.file, hit.passage);
}

function back(page) {
  if (page.reader.hit && document.activeElement?.closest(".whole")) return page.results.stand();
  return toBox();
}

function toBox() {
  at("query").focus();
  at("query").select();
  return true;
}

function help() {
  at("help").showModal();
  return true;
}

function kept() {
  try {
    return localStorage.getItem(KEPT);
  } catch {
    return null;
  }
}

function keep(value) {
  try {
    localStorage.setItem(KEPT, value);
  } catch {
    // Storage may be forbidden: it lasts as long as the page.
  }
}
