/** The page: what is typed and chosen becomes a request, and the answer to the last one is shown. */

import { Asking } from "./asking.js";
import { at, say } from "./dom.js";
import { beginning, nothing, showEmpty, strangers } from "./empty.js";
import { Filters } from "./filters.js";
import { Folders } from "./folders.js";
import { listen } from "./keys.js";
import { changeLooks } from "./looks.js";
import { Progress, passedOver } from "./progress.js";
import { BESIDE, Reader } from "./reading.js";
import { Results } from "./results.js";
import { announce, toast } from "./saying.js";
import { ask, line, takeToken } from "./server.js";
import { Trouble } from "./trouble.js";
import { Words } from "./words.js";
import { counted, number } from "./wording.js";

const FILES = 20; // an answer
const MORE_FILES = 100; // at once, for whoever goes on
const FRESH_MS = 3000; // at most this often an index that grows is asked again by itself

const query = at("query");
const reader = new Reader();
const words = new Words(at("words"));
const trouble = new Trouble(() => progress.look().then(() => trouble.stops || search()));
const filters = new Filters(at("filters"), () => search());
const folders = new Folders(at("folders"), () => progress.look());
const results = new Results(at("files"), {
  current: (hit) => BESIDE.matches && reader.later(hit),
  context: (hit) => showContext(hit),
  lost: () => query.focus(),
});
const progress = new Progress(indexMoved);
const mode = {
  get value() {
    return at("modes").querySelector("input:checked").value;
  },
  set(value) {
    at("modes").querySelector(`input[value="${value}"]`).checked = true;
    search();
  },
};

let typedAt = 0; // when the last key came, in performance.now()'s time
let shown = null; // {request, answer, offset} of what stands on the page
let strangersShown = false;
let freshAt = 0;
let stale = false; // the index has changed since what is shown was asked for

const asking = new Asking((request, signal) => ask("search", request, signal), {
  start: () => {
    stale = false;
    at("again").hidden = true;
    at("results").setAttribute("aria-busy", "true");
  },
  answer: (answer, request) => {
    trouble.over();
    show(answer, request);
  },
  fail: (error, request) => {
    at("results").removeAttribute("aria-busy");
    if (error.name === "Problem" && !trouble.stops) trouble.failed(error);
    at("more").hidden = true; // what stands there answers another question
    shown = { request, answer: shown?.answer ?? null, offset: 0 };
  },
});

function request(typing = false) {
  return { query: query.value, k: FILES, offset: 0, mode: progress.state ? mode.value : null, typing, filters: filters.value, sort: at("sort").value };
}

/** Search for what stands in the box; typing: when the keys rest. */
function search(typing = false) {
  if (!query.value.trim()) return emptied();
  typedAt = performance.now();
  const goesOn = query.selectionEnd === query.value.length && !/\s$/.test(query.value); // the last word may
  if (typing) asking.later(request(goesOn));
  else asking.now(request());
}

function emptied() {
  asking.stop();
  delete at("results").dataset.query;
  shown = null;
  strangersShown = false;
  at("results").removeAttribute("aria-busy");
  results.show({ files: [], query_words: [] });
  words.show("", []);
  reader.close();
  at("found").hidden = at("more").hidden = true;
  say(at("timing"), "");
  if (trouble.kind.startsWith("failed")) trouble.over();
  beginning(progress.state, { addFolder: openFolders });
}

function show(answer, asked) {
  shown = { request: asked, answer, offset: answer.files.length };
  at("results").dataset.query = answer.query;
  at("results").removeAttribute("aria-busy");
  const hidden = answer.fit === "unlikely" && !strangersShown;
  results.show(hidden ? { ...answer, files: [] } : answer);
  words.show(answer.query, hidden ? [] : answer.query_words);
  filters.show(answer.counts, (progress.state?.roots ?? []).map((root) => root.path));
  at("found").hidden = answer.files.length === 0;
  at("more").hidden = hidden || !answer.more;
  if (!answer.files.length) nothing(answer.query, mode, filters, progress.state);
  else if (hidden) strangers(answer.files.length, answer.more, asked.typing, showStrangers);
  else showEmpty();
  summarise(answer);
  painted(answer);
  if (!results.current) reader.close();
  else if (BESIDE.matches) {
    reader.makeRoom();
    reader.later(results.current, 300);
  }
}

function showStrangers() {
  strangersShown = true;
  show(shown.answer, shown.request);
  results.stand();
}

function summarise(answer) {
  const count = results.files;
  const best = answer.of_best ? ` of the ${number(answer.of_best)} that fit best` : "";
  const found = count ? `${counted(count, "file")}${best}${answer.more ? ", and more below" : ""}` : "";
  say(at("summary"), answer.fit === "unlikely" && answer.files.length ? "Nothing fits well" : found);
  const first = results.first?.file.name;
  announce(answer.files.length ? [at("summary").textContent, first && `first: ${first}`].filter(Boolean).join(", ") : "Nothing found");
}

/** How long it took, by stage, and until it stood on the screen. */
function painted(answer) {
  const since = typedAt;
  const stages = Object.entries(answer.took_ms).filter(([stage]) => stage !== "total");
  const told = stages.map(([stage, ms]) => `${stage} ${number(Math.round(ms))}`).join(", ");
  requestAnimationFrame(() => {
    const after = new MessageChannel(); // its message comes when the frame is drawn
    after.port1.onmessage = () => {
      performance.clearMeasures("colibri key to paint");
      performance.measure("colibri key to paint", { start: since, detail: answer.took_ms });
      const total = performance.now() - since;
      say(at("timing"), `${number(Math.round(answer.took_ms.total))} ms to search (${told}), ${number(Math.round(total))} ms from key to screen`);
    };
    after.port2.postMessage(null);
  });
}

async function showMore() {
  if (at("more").hidden || at("more").disabled) return;
  const { request: asked, offset } = shown;
  at("more").disabled = true;
  try {
    const answer = await ask("search", { ...asked, offset, k: MORE_FILES });
    if (shown?.request !== asked) return;
    const had = results.files;
    shown.offset = offset + answer.files.length;
    results.add(answer);
    at("more").hidden = !answer.more;
    summarise({ ...answer, fit: shown.answer.fit });
    announce(`${counted(results.files - had, "more file")}`);
  } catch (error) {
    toast(error.message);
  } finally {
    at("more").disabled = false;
  }
}

function showContext(hit) {
  if (reader.hit === hit && !BESIDE.matches) reader.close();
  else reader.show(hit).then(() => BESIDE.matches && at("reader").querySelector(".whole")?.focus());
}

/** The state came: name, folders, and whether what is shown may be stale. */
function indexMoved(state, before) {
  if (trouble.stops) {
    trouble.over();
    if (query.value.trim()) search();
  }
  say(at("index-name"), state.name || "Colibri");
  document.title = state.name ? `${state.name} – Colibri` : "Colibri";
  results.canOpen = state.can_open;
  folders.show(state.roots, state.can_change, state.note);
  at("modes").hidden = state.modes.length < 2;
  for (const input of at("modes").querySelectorAll("input")) input.disabled = !state.modes.includes(input.value);
  if (at("modes").querySelector("input:checked").disabled) mode.set(state.modes[0]);
  if (!query.value.trim()) beginning(state, { addFolder: openFolders });
  stale ||= before !== null && ["documents", "passages", "tokens", "bytes"].some((name) => state[name] !== before[name]);
  if (stale && shown) refresh();
}

/** Ask again by itself where nobody would lose their place; else leave what is read as it is. */
function refresh() {
  const reading = at("results").contains(document.activeElement) || at("reader").contains(document.activeElement);
  const kept = reading || window.scrollY > 200 || shown.offset > FILES || at("more").disabled;
  at("again").hidden = !kept;
  if (kept || asking.busy || performance.now() - freshAt < FRESH_MS) return; // the next look at the state tries again
  freshAt = performance.now();
  asking.now(shown.request);
}

function openFolders() {
  folders.open();
  const { roots = [], can_change: may = false, note = null } = progress.state ?? {};
  folders.show(roots, may, note);
}

query.addEventListener("input", (event) => event.isComposing || search(true));
query.addEventListener("compositionend", () => search(true));
at("search").addEventListener("submit", (event) => {
  event.preventDefault();
  search();
});
at("modes").addEventListener("change", () => search());
at("sort").addEventListener("change", () => search());
at("more").addEventListener("click", showMore);
at("again").addEventListener("click", () => search());
at("folders-open").addEventListener("click", openFolders);
at("passed-open").addEventListener("click", () => passedOver(at("passed")));
at("help-open").addEventListener("click", () => at("help").showModal());
at("filters-shown").addEventListener("click", () => {
  const on = document.body.classList.toggle("filtering");
  at("filters-shown").setAttribute("aria-expanded", String(on));
});
for (const room of [at("files"), at("reader")]) {
  room.addEventListener("pointerover", ({ target }) => words.answering(target.closest("mark")));
}
line.addEventListener("gone", () => trouble.gone());
line.addEventListener("locked", ({ detail }) => trouble.locked(detail));
window.addEventListener("hashchange", async () => {
  if (await takeToken()) await progress.look();
});

listen({ results, words, reader, search, emptied, context: showContext, more: () => showMore().then(() => results.move(1)) });
changeLooks();
beginning(null, {});
takeToken()
  .then(() => progress.look())
  .then(() => shown || !query.value.trim() || search()); // some browsers keep what was typed over a reload
