/** Filters with counts: kind, folder, language, time. What is chosen stays in sight even where nothing has it. */

import { at, button, make, say } from "./dom.js";
import { language, number, visible } from "./wording.js";

const MOST = 10; // of a group, before "more"
const GROUPS = [["kinds", "Kind", (value) => value], ["folders", "Folder", visible], ["languages", "Language of the text", language]];
const TIMES = [["", "any time"], ["day", "past day"], ["week", "past week"], ["month", "past month"], ["year", "past year"], ["older", "older"], ["between", "between"]];
const DAYS = { day: 1, week: 7, month: 30, year: 365 };

export class Filters {
  #chosen = { kinds: new Set(), folders: new Set(), languages: new Set() };
  #time = "";
  #rows = {}; // group -> {list, more, rows: Map(value -> {row, count})}
  #times = new Map();
  #dates;

  constructor(room, onChange) {
    this.onChange = onChange;
    this.clearing = button("Remove all filters", () => this.clear(), { class: "wide" });
    this.clearing.hidden = true;
    room.append(make("h2", { class: "unseen" }, "Filters"), ...GROUPS.slice(0, 2).map((group) => this.#group(...group)), this.#timeGroup(), this.#group(...GROUPS[2]), this.clearing);
  }

  /** How many are chosen. */
  get on() {
    return Object.values(this.#chosen).reduce((sum, set) => sum + set.size, 0) + (this.#time ? 1 : 0);
  }

  /** As the server takes them; only what is chosen. */
  get value() {
    const found = {};
    for (const [group, set] of Object.entries(this.#chosen)) if (set.size) found[group] = [...set];
    return Object.assign(found, this.#period());
  }

  clear() {
    for (const set of Object.values(this.#chosen)) set.clear();
    this.#time = "";
    for (const input of at("filters").querySelectorAll("input")) {
      if (input.type === "date") input.value = "";
      else input.checked = input.type === "radio" && input.value === "";
    }
    this.#dates.hidden = true;
    this.#changed();
  }

  /** Counts of the last answer, {value, count} each. roots: paths, by whose names folders are called. */
  show(counts, roots) {
    this.#rows.folders.worded = (path) => visible(folderName(path, roots));
    for (const [group] of GROUPS) this.#count(group, counts[group] ?? []);
    const times = new Map((counts.times ?? []).map(({ value, count }) => [value, count]));
    for (const [value, count] of this.#times) say(count, times.has(value) ? number(times.get(value)) : "");
  }

  #changed() {
    this.clearing.hidden = this.on === 0;
    say(at("filters-on"), this.on ? ` ${this.on}` : "");
    this.onChange();
  }

  #group(group, title, worded) {
    const list = make("ul", {});
    const more = button("more", () => {
      list.classList.toggle("all");
      this.#fold(group);
    }, { class: "plain", "aria-expanded": "false" });
    const whole = make("fieldset", {}, make("legend", {}, title), list, more);
    whole.hidden = true;
    more.hidden = true;
    this.#rows[group] = { whole, list, more, worded, title, rows: new Map() };
    return whole;
  }

  #count(group, found) {
    const { whole, list, rows } = this.#rows[group];
    const counts = new Map(found.map(({ value, count }) => [value ?? "", count]));
    for (const value of this.#chosen[group]) if (!counts.has(value)) counts.set(value, 0);
    for (const [value, { row }] of rows) {
      if (counts.has(value)) continue;
      row.remove();
      rows.delete(value);
    }
    for (const [value, count] of counts) {
      if (!rows.has(value)) rows.set(value, this.#row(group, value));
      say(rows.get(value).count, number(count));
    }
    // Who stands in the list keeps the order under the feet.
    if (!list.contains(document.activeElement)) list.append(...[...counts.keys()].map((value) => rows.get(value).row));
    else list.append(...[...counts.keys()].map((value) => rows.get(value).row).filter((row) => !row.isConnected));
    whole.hidden = counts.size === 0;
    this.#fold(group);
  }

  #row(group, value) {
    const { worded } = this.#rows[group];
    const count = make("span", { class: "count" });
    const box = make("input", { type: "checkbox" });
    box.checked = this.#chosen[group].has(value);
    box.addEventListener("change", () => {
      this.#chosen[group][box.checked ? "add" : "delete"](value);
      this.#changed();
    });
    return { row: make("li", {}, make("label", { title: group === "folders" ? value : null }, box, make("bdi", {}, worded(value) || "none"), count)), count };
  }

  #fold(group) {
    const { list, more, title } = this.#rows[group];
    const all = list.classList.contains("all");
    [...list.children].forEach((row, i) => {
      row.hidden = !all && i >= MOST && !row.querySelector("input").checked;
    });
    more.hidden = list.children.length <= MOST;
    more.setAttribute("aria-expanded", String(all));
    more.setAttribute("aria-label", `${all ? "Fewer" : "More"}: ${title}`);
    say(more, all ? "fewer" : `${number(list.children.length - MOST)} more`);
  }

  #timeGroup() {
    const rows = TIMES.map(([value, text]) => {
      const count = make("span", { class: "count" });
      if (value in DAYS || value === "older") this.#times.set(value, count);
      const input = make("input", { type: "radio", name: "time", value, checked: value === "" });
      input.addEventListener("change", () => {
        this.#time = value;
        this.#dates.hidden = value !== "between";
        this.#changed();
      });
      return make("li", {}, make("label", {}, input, make("span", {}, text), count));
    });
    const dates = ["from", "to"].map((name) => {
      const input = make("input", { type: "date", id: `time-${name}` });
      input.addEventListener("change", () => this.#changed());
      return make("label", {}, name, input);
    });
    this.#dates = make("p", { class: "dates" }, ...dates);
    this.#dates.hidden = true;
    return make("fieldset", {}, make("legend", {}, "Changed"), make("ul", {}, ...rows), this.#dates);
  }

  #period() {
    if (this.#time in DAYS) return { since: daysAgo(DAYS[this.#time]) };
    if (this.#time === "older") return { until: daysAgo(DAYS.year) };
    if (this.#time !== "between") return {};
    const [from, to] = ["from", "to"].map((name) => at(`time-${name}`).value);
    return { ...(from && { since: midnight(from, 0) }), ...(to && { until: midnight(to, 1) }) };
  }
}

/** A root by its own name, what lies in it by that and the way to it; the whole path where two roots have one name. */
function folderName(path, roots) {
  const root = roots.filter((each) => path === each || path.startsWith(each + separator(each))).sort((a, b) => b.length - a.length)[0];
  if (!root || root.length < 2) return path;
  const name = lastName(root);
  return roots.filter((each) => lastName(each) === name).length > 1 ? path : name + path.slice(root.length);
}

function separator(path) {
  return path.includes("\\") && !path.startsWith("/") ? "\\" : "/";
}

function lastName(path) {
  return path.split(separator(path)).filter(Boolean).at(-1) ?? path;
}

function daysAgo(days) {
  return new Date(Date.now() - days * 86_400_000).toISOString();
}

/** The beginning of a day where the reader lives, or (after: 1) its last millisecond; both days of "between" belong to it. */
function midnight(date, after) {
  const [year, month, day] = date.split("-").map(Number);
  return new Date(new Date(year, month - 1, day + after).valueOf() - after).toISOString();
}
