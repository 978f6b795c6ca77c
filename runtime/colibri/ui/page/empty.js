/** What stands where no hits stand: how to begin, or why nothing was found and what may help. */

import { at, button, make } from "./dom.js";
import { counted } from "./wording.js";

/** Say it; `content` are elements. Without arguments: nothing. */
export function showEmpty(title, ...content) {
  const room = at("empty");
  room.hidden = !title;
  room.replaceChildren(...(title ? [make("h2", {}, title), ...content.filter(Boolean)] : []));
}

/** Before the first word. */
export function beginning(state, { addFolder }) {
  if (!state) return showEmpty("Looking for the index…");
  const working = ["looking", "indexing"].includes(state.indexing.phase);
  if (!state.documents && !state.roots.length) {
    return showEmpty("Nothing is indexed yet", make("p", {}, state.can_change ? "Say which folder to search. Its files stay where they are; the index knows what stands in them." : "Fill the index where it lies: colibri index FOLDER."),
      state.can_change ? button("Add a folder", addFolder, { class: "main" }) : null);
  }
  if (!state.documents) {
    return showEmpty(working ? "The first files are being read" : "No file with text was found",
      make("p", {}, working ? "You can search already: what is found grows as the files are read." : "See which files were passed over and why, at the foot of the page, or add another folder."),
      working ? null : button("Folders", addFolder, { class: "main" }));
  }
  return showEmpty(`${counted(state.documents, "document")} to search`,
    make("p", {}, "Ask in your own words, in any language: what is meant is found, and exact words and names as well."),
    make("p", {}, make("kbd", {}, "↓"), " goes to what was found, ", make("kbd", {}, "?"), " shows all keys."));
}

/** Nothing was found. */
export function nothing(query, mode, filters, state) {
  const help = [];
  if (filters.on) help.push(button("Remove all filters", () => filters.clear(), { class: "main" }));
  const words = mode.value === "words";
  const working = ["looking", "indexing"].includes(state?.indexing.phase);
  const excludes = query.trim().split(/\s+(?=-)/u).every((part) => /^-(["“„«][^"”»]*["”»]|[^\s"“„«-]\S*)$/u.test(part));
  if (excludes) return showEmpty("Nothing found", make("p", {}, "This says only what must not be there: add a word to look for."));
  const hints = [
    filters.on ? `${counted(filters.on, "filter")} may leave it out.` : null,
    words ? "Exact words finds only texts that hold the very words: search by meaning, too." : null,
    /["-]/.test(query) ? "Quoted phrases and -words are obeyed exactly." : null,
    working ? "Not all files are read yet." : null,
    !filters.on && !words && !working ? "Try other words, or see under Folders whether the file's folder is there." : null,
  ];
  if (words) help.push(button("Search by both", () => mode.set("both"), { class: filters.on ? "" : "main" }));
  showEmpty("Nothing found", ...hints.filter(Boolean).map((hint) => make("p", {}, hint)), ...help);
}

/** Hits there are, and none of them fits. typing: the last word may go on. */
export function strangers(count, more, typing, show) {
  showEmpty(typing ? "Nothing fits well yet" : "Nothing fits well", make("p", {}, "What comes nearest is likely about something else. Other words may do better."),
    button(`Show the nearest ${counted(count, "file")}${more ? " and more" : ""}`, show));
}
