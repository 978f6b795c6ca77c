/** Hits, grouped by file; one passage is the current one, and the arrow keys move it. */

import { cite, open, reveal } from "./actions.js";
import { button, make } from "./dom.js";
import { excerpt, shaded, stretches } from "./shading.js";
import { FITS, day, language, languageTag, place, size, visible } from "./wording.js";

let made = 0;

export class Results {
  #list;
  #hits = new Map(); // article -> {file, passage, found, shown, article}
  #files = new Map(); // id -> its <ol> of passages
  #current = null;

  /** on: current(hit) when another passage becomes the current one, context(hit) when its context is wanted. */
  constructor(list, on) {
    this.#list = list;
    this.on = on;
    this.canOpen = true;
    list.addEventListener("focusin", ({ target }) => this.#choose(this.#hitOf(target)));
    list.addEventListener("dblclick", ({ target }) => {
      const hit = this.#hitOf(target);
      if (hit && this.canOpen && !target.closest("button, .context")) open(hit.file, hit.passage);
    });
  }

  get current() {
    return this.#current;
  }

  get files() {
    return this.#files.size;
  }

  get first() {
    return this.#hits.values().next().value ?? null;
  }

  /** A new answer's files. Whoever stands on a passage that is still there keeps standing on it. */
  show(answer) {
    const stood = this.#list.contains(document.activeElement) ? key(this.#current) : null;
    this.#hits.clear();
    this.#files.clear();
    this.#current = null;
    this.#list.replaceChildren();
    this.add(answer);
    this.#standAgain(stood);
  }

  /** More files of the same answer. */
  add(answer) {
    const rows = document.createDocumentFragment();
    for (const file of answer.files) {
      const known = this.#files.get(file.id);
      const passages = known ?? this.#newFile(file, rows);
      for (const passage of file.passages) {
        passages.append(make("li", {}, this.#passage(file, passage, answer.query_words, passage === file.passages[0])));
      }
    }
    this.#list.append(rows);
    if (!this.#current && this.first) this.#mark(this.first);
  }

  /** Move by so many passages; gives false at the ends. */
  move(by) {
    const hits = [...this.#hits.values()];
    const to = hits.indexOf(this.#current) + by;
    return to >= 0 && to < hits.length && this.#stand(hits[to]);
  }

  /** To the first or last passage. */
  end(last) {
    const hits = [...this.#hits.values()];
    return hits.length > 0 && this.#stand(hits.at(last ? -1 : 0));
  }

  /** Back to the current passage. */
  stand() {
    return this.#current !== null && this.#stand(this.#current);
  }

  #stand(hit) {
    hit.article.focus({ preventScroll: true });
    hit.article.scrollIntoView({ block: "nearest" });
    return true;
  }

  #standAgain(stood) {
    if (stood === null) return;
    const same = [...this.#hits.values()].find((hit) => key(hit) === stood);
    if (same) this.#stand(same);
    else this.on.lost();
  }

  #hitOf(element) {
    const article = element.closest("article");
    return article ? this.#hits.get(article) : null;
  }

  #choose(hit) {
    if (!hit || hit === this.#current) return;
    this.#mark(hit);
    this.on.current(hit);
  }

  /** Only the current passage and its buttons are stops of the Tab key; all others are reached by arrows. */
  #mark(hit) {
    for (const [each, stop] of [[this.#current, false], [hit, true]]) {
      if (!each) continue;
      if (stop) each.article.setAttribute("aria-current", "true");
      else each.article.removeAttribute("aria-current");
      for (const element of [each.article, ...each.article.querySelectorAll(".acts button")]) element.tabIndex = stop ? 0 : -1;
    }
    this.#current = hit;
  }

  #newFile(file, rows) {
    const passages = make("ol", { class: "passages", "aria-label": `Passages of ${visible(file.name)}` });
    const shown = visible(file.name);
    const name = this.canOpen && file.path && !file.gone ? button(shown, () => open(file), { class: "name", title: `Open ${visible(file.path)}` }) : shown;
    const facts = [file.kind, day(file.modified), size(file.size), file.language ? language(file.language) : "", file.gone ? "no longer there" : ""];
    rows.append(make("li", { class: "file" },
      make("h2", { dir: "auto" }, name),
      make("p", { class: "quiet where" }, file.folder ? make("bdi", {}, visible(file.folder)) : null, ...facts.filter(Boolean).map((fact) => make("span", {}, fact))),
      passages));
    this.#files.set(file.id, passages);
    return passages;
  }

  #passage(file, passage, words, first) {
    const found = stretches(passage.text, passage.matches, words);
    const shown = excerpt(passage.text, found, first ? 420 : 240);
    const [head, body] = [`place-${(made += 1)}`, `text-${made}`];
    const [start, end] = shown;
    const article = make("article", { class: "passage", tabindex: "-1", "aria-labelledby": head, "aria-describedby": body });
    const hit = { file, passage, found, shown, article, words };
    const told = make("p", { id: head, class: "place" },
      make("span", { class: "unseen" }, `${visible(file.name)} `),
      make("span", { dir: "auto" }, place(passage) || "in the text"),
      passage.fit ? make("span", { class: `fit ${FITS[passage.fit] ?? ""}` }, passage.fit) : null,
      Number.isFinite(passage.normalised) ? make("span", { class: "quiet", "aria-hidden": "true" }, passage.normalised.toFixed(2)) : null);
    article.append(
      make("div", { class: "head" }, told, this.#acts(hit)),
      make("p", { id: body, class: "text", dir: "auto", lang: languageTag(file.language) },
        start > 0 ? "… " : null, shaded(passage.text, found, start, end), end < passage.text.length ? " …" : null));
    this.#hits.set(article, hit);
    return article;
  }

  #acts(hit) {
    const { file, passage } = hit;
    const may = this.canOpen && file.path && !file.gone;
    const act = (text, more, on) => button(text, on, { tabindex: "-1", "aria-label": `${text} ${more}`, title: `${text} ${more}` });
    hit.toggle = act("Context", "of the passage", () => this.on.context(hit));
    hit.toggle.setAttribute("aria-expanded", "false");
    return make("div", { class: "acts" },
      may ? act("Open", visible(file.name), () => open(file, passage)) : null,
      may ? act("Folder", `of ${visible(file.name)}`, () => reveal(file, passage)) : null,
      act("Copy", "with its place", () => cite(hit)),
      hit.toggle);
  }
}

function key(hit) {
  return hit && `${hit.passage.id}\n${hit.passage.start}`;
}
