/** What the index is doing, asked for again and again while the page is looked at, and never behind its back. */

import { at, button, make, say } from "./dom.js";
import { announce, toast } from "./saying.js";
import { ask, line } from "./server.js";
import { counted, number, span, visible } from "./wording.js";

const REST_MS = 3000;
const WORK_MS = 1000;
const GONE_MS = [500, 1000, 2000, 4000, 5000];

export class Progress {
  #timer = 0;
  #misses = 0;
  #phase = "";
  state = null;

  /** onState(state, before) after each look. */
  constructor(onState) {
    this.onState = onState;
    document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(this.#timer) : this.look()));
    line.addEventListener("gone", () => this.#again());
    at("pause").addEventListener("click", () => this.#turn());
  }

  /** Ask now, and go on asking. */
  async look() {
    clearTimeout(this.#timer);
    try {
      const before = this.state;
      this.state = await ask("state");
      this.#misses = 0;
      this.#show(this.state);
      this.onState(this.state, before);
    } catch (error) {
      this.#misses += 1;
      if (error.status === 401) return; // a token will come, and then a look
    }
    this.#again();
  }

  #again() {
    clearTimeout(this.#timer);
    if (document.hidden) return;
    const working = ["looking", "indexing"].includes(this.state?.indexing.phase);
    const wait = this.#misses ? GONE_MS[Math.min(this.#misses, GONE_MS.length) - 1] : working ? WORK_MS : REST_MS;
    this.#timer = setTimeout(() => this.look(), wait);
  }

  async #turn() {
    const route = { paused: "resume", failed: "look" }[this.state?.indexing.phase] ?? "pause";
    try {
      await ask(route, {});
    } catch (error) {
      toast(error.message);
    }
    this.look();
  }

  #show(state) {
    const { phase, done, total } = state.indexing;
    say(at("progress-text"), sentence(state));
    const bar = at("progress-bar");
    bar.hidden = !["looking", "indexing", "paused"].includes(phase);
    if (phase !== "looking" && total) {
      bar.max = total;
      bar.value = done;
    } else bar.removeAttribute("value");
    const pause = at("pause");
    pause.hidden = phase === "idle" || !state.can_change;
    say(pause, { paused: "Resume", failed: "Try again" }[phase] ?? "Pause");
    const passed = at("passed-open");
    passed.hidden = !state.passed_over?.count;
    say(passed, `${counted(state.passed_over?.count ?? 0, "file")} passed over`);
    if (this.#phase && this.#phase !== phase) announce(sentence(state));
    this.#phase = phase;
  }
}

/** One line about the index. */
export function sentence(state) {
  const { phase, root, file, done, total, per_s: perSecond, left_s: left, error } = state.indexing;
  const held = `${counted(state.documents, "document")}, ${counted(state.passages, "passage")}`;
  const away = (state.roots ?? []).filter((each) => !each.present).length;
  if (phase === "failed") return `Indexing stopped: ${error || "no reason was given"}`;
  if (phase === "paused") return total ? `Paused at ${number(done)} of ${counted(total, "file")}` : "Paused: changes are not taken up";
  if (phase === "looking") return `Looking for what is new${root ? ` in ${root}` : ""}`;
  if (phase === "indexing") {
    const pace = perSecond >= 1 ? `${perSecond < 10 ? perSecond.toFixed(1) : number(Math.round(perSecond))} files/s` : perSecond ? `${(perSecond * 60).toFixed(1)} files/min` : "";
    const rest = left || left === 0 ? `${span(left)} left` : "";
    return [`Indexing ${number(done)} of ${counted(total, "file")}`, file ? visible(file) : "", pace, rest].filter(Boolean).join(" · ");
  }
  return [held, state.watching ? "following changes" : "", away ? `${counted(away, "folder")} not there` : "", state.note ? (state.can_change ? "see Folders" : state.note) : ""].filter(Boolean).join(" · ");
}

/** The files that were passed over, why, and what to do. */
export function passedOver(dialog) {
  const list = make("dl", { class: "passed" });
  const more = button("More", () => load(), { class: "wide" });
  more.hidden = true;
  let offset = 0;
  async function load() {
    try {
      const { items, more: rest } = await ask(`passed-over?offset=${offset}&limit=100`);
      offset += items.length;
      for (const { path, why, what_to_do: todo } of items) {
        list.append(make("div", {}, make("dt", {}, make("bdi", {}, visible(path))), make("dd", {}, [why, todo].filter(Boolean).join(": "))));
      }
      if (!offset) list.replaceWith(make("p", {}, "Every file was read."));
      more.hidden = !rest;
    } catch (error) {
      toast(error.message);
    }
  }
  dialog.replaceChildren(
    make("h2", { id: "passed-title" }, "Passed over, and why"), make("div", { class: "scrolled", tabindex: "0", role: "group", "aria-label": "Files passed over" }, list, more),
    make("form", { method: "dialog" }, make("button", { class: "main" }, "Close")));
  dialog.showModal();
  return load();
}
