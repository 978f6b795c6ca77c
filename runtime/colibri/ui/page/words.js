/** The words of the query under the box: point at one, or reach it with the keys, and only its answers stay lit. */

import { button } from "./dom.js";
import { makeLightable } from "./shading.js";
import { utf16Places } from "./text.js";

export class Words {
  #bar;
  #chips = [];
  #pinned = null;
  #pointed = null;

  constructor(bar) {
    this.#bar = bar;
    bar.addEventListener("keydown", (event) => this.#move(event));
    for (const [event, on] of [["pointerover", true], ["pointerout", false], ["focusin", true], ["focusout", false]]) {
      bar.addEventListener(event, ({ target }) => this.#point(on ? this.#chips.indexOf(target.closest("button")) : -1));
    }
  }

  /** Words of this query: {start, end} in code points. One that was lit and still stands there stays lit. */
  show(query, words) {
    const place = utf16Places(query);
    const texts = words.map(({ start, end }) => query.slice(place(start), place(end)));
    makeLightable(texts.length);
    if (texts.join("\n") === this.#chips.map((chip) => chip.textContent).join("\n")) return;
    const kept = this.#pinned === null ? null : this.#chips[this.#pinned].textContent;
    const had = this.#chips.indexOf(document.activeElement);
    this.#chips = texts.map((text, i) =>
      button(text, () => this.pin(this.#pinned === i ? null : i), { "aria-pressed": "false", tabindex: i ? "-1" : "0", dir: "auto" }));
    this.#bar.replaceChildren(...this.#chips);
    this.#bar.hidden = this.#chips.length === 0;
    this.#pointed = null;
    this.pin(kept !== null && texts.includes(kept) ? texts.indexOf(kept) : null);
    if (had >= 0 && this.#chips.length) this.#focus(Math.min(had, this.#chips.length - 1));
  }

  /** Keep a word lit; null: all again. */
  pin(number) {
    this.#pinned = number;
    this.#chips.forEach((chip, i) => chip.setAttribute("aria-pressed", String(i === number)));
    this.#light();
  }

  /** The next word, and after the last one all; gives what to say. */
  pinNext() {
    if (!this.#chips.length) return "";
    const next = this.#pinned === null ? 0 : this.#pinned + 1;
    this.pin(next < this.#chips.length ? next : null);
    return this.#pinned === null ? "All words lit" : `Lit: ${this.#chips[this.#pinned].textContent}`;
  }

  /** Show which words the piece of text under the pointer answered. */
  answering(mark) {
    const numbers = new Set([...(mark?.classList || [])].map((name) => /^w(\d+)-[1-5]$/.exec(name)?.[1]).filter(Boolean));
    this.#chips.forEach((chip, i) => chip.classList.toggle("answered", numbers.has(String(i))));
  }

  #point(number) {
    this.#pointed = number >= 0 ? number : null;
    this.#light();
  }

  #light() {
    const lit = this.#pointed ?? this.#pinned;
    if (lit === null) delete document.body.dataset.lit;
    else document.body.dataset.lit = String(lit);
  }

  #move(event) {
    const at = this.#chips.indexOf(document.activeElement);
    const last = this.#chips.length - 1;
    const forward = getComputedStyle(this.#bar).direction === "rtl" ? "ArrowLeft" : "ArrowRight";
    const to = { [forward]: at + 1, [forward === "ArrowRight" ? "ArrowLeft" : "ArrowRight"]: at - 1, Home: 0, End: last }[event.key];
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    this.#focus(Math.max(0, Math.min(last, to)));
  }

  #focus(number) {
    this.#chips.forEach((chip, i) => chip.setAttribute("tabindex", i === number ? "0" : "-1"));
    this.#chips[number].focus();
  }
}
