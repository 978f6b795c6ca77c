/** The passage in its context: beside the results where there is room, else below the passage. */

import { at, button, make } from "./dom.js";
import { shaded } from "./shading.js";
import { ask } from "./server.js";
import { counted, languageTag, place, visible } from "./wording.js";
import { utf16Places } from "./text.js";

const AROUND = 3000;
const MOST = 100_000; // characters on each side, of what the server gives at once
export const BESIDE = matchMedia("(min-width: 75rem)");

export class Reader {
  #hit = null;
  #asking = null;
  #waiting = 0;

  constructor() {
    BESIDE.addEventListener("change", () => this.close());
  }

  /** The hit whose context is shown. */
  get hit() {
    return this.#hit;
  }

  /** Soon, when the arrow keys rest. */
  later(hit, wait = 120) {
    clearTimeout(this.#waiting);
    this.#waiting = setTimeout(() => this.show(hit), wait);
  }

  /** Its context, in place of what was shown. */
  async show(hit, around = AROUND) {
    clearTimeout(this.#waiting);
    if (this.#hit === hit && around === AROUND) return;
    if (this.#hit !== hit) this.#leave();
    this.#hit = hit;
    this.#asking?.abort();
    const mine = (this.#asking = new AbortController());
    const { id, start, end } = hit.passage;
    try {
      const context = await ask("passage", { id, start, end, around }, mine.signal);
      if (this.#asking === mine) this.#put(hit, this.#context(hit, context, around), around);
    } catch (error) {
      if (this.#asking === mine && error.name !== "AbortError") this.#put(hit, [make("p", { class: "note" }, error.message)], around);
    }
  }

  /** Room for it beside the results, before it comes: nothing moves when it does. */
  makeRoom() {
    if (!BESIDE.matches) return;
    document.body.classList.add("reading");
    at("reader").hidden = false;
  }

  /** Nothing is shown any more. */
  close() {
    this.#leave();
    document.body.classList.remove("reading");
    at("reader").hidden = true;
    at("reader").replaceChildren();
  }

  #leave() {
    clearTimeout(this.#waiting);
    this.#asking?.abort();
    this.#hit?.article.querySelector(".context")?.remove();
    this.#hit?.toggle.setAttribute("aria-expanded", "false");
    this.#hit = null;
  }

  #put(hit, content, around) {
    hit.toggle.setAttribute("aria-expanded", "true");
    let room = at("reader");
    if (BESIDE.matches) this.makeRoom();
    else {
      room = hit.article.querySelector(".context") ?? make("div", { class: "context" });
      hit.article.append(room);
    }
    const had = room.contains(document.activeElement);
    const stood = around > AROUND ? above(room) : null;
    room.replaceChildren(...content);
    const text = room.querySelector(".whole");
    if (text) text.scrollTop += above(room) - (stood ?? text.clientHeight / 4);
    if (had) text?.focus();
  }

  #context(hit, context, around) {
    const { file, passage, found } = hit;
    const utf16 = utf16Places(context.text);
    const from = utf16(passage.start - context.text_start);
    const to = utf16(passage.end - context.text_start);
    const same = context.text.slice(from, to) === passage.text;
    const before = context.text_start > 0;
    const after = context.text_end < context.whole_length;
    const wider = () => this.show(hit, Math.min(MOST, around * 4));
    return [
      make("h2", { dir: "auto" }, visible(file.name)),
      make("p", { class: "quiet" }, [place(passage), counted(context.whole_length, "character")].filter(Boolean).join(", ")),
      same ? null : make("p", { class: "note" }, "The file was indexed again since: this is its new text."),
      make("div", { class: "whole", tabindex: "0", role: "group", "aria-label": `Text of ${visible(file.name)}`, dir: "auto", lang: languageTag(file.language) },
        before ? "… " : null, context.text.slice(0, from),
        make("span", { class: "here" }, same ? shaded(passage.text, found) : context.text.slice(from, to)),
        context.text.slice(to), after ? " …" : null),
      around < MOST && (before || after) ? make("p", {}, button("More of the text", wider)) : null,
    ].filter(Boolean);
  }
}

/** How far below the upper edge of the text's window the passage begins. */
function above(room) {
  const here = room.querySelector(".here");
  return here ? here.getBoundingClientRect().top - room.querySelector(".whole").getBoundingClientRect().top : 0;
}
