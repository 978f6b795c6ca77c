/** The folders of the index: one more, one less, a look for what is new. */

import { button, make, say } from "./dom.js";
import { toast } from "./saying.js";
import { ask } from "./server.js";
import { counted, visible } from "./wording.js";

export class Folders {
  #dialog;
  #list = make("ul", { class: "roots" });
  #path = make("input", { id: "folder-path", type: "text", required: true, dir: "auto", autocomplete: "off", spellcheck: "false", placeholder: "/home/me/Documents" });
  #looking = button("Look for changes now", () => this.#tell("look", {}, "Looking for what is new"));
  #note = make("p", { class: "note" });
  #adding;
  #roots = [];
  #may = false;
  #sure = null; // the folder whose forgetting was asked for
  #shown = "";

  /** onChange() after the index was told something. */
  constructor(dialog, onChange) {
    this.#dialog = dialog;
    this.onChange = onChange;
    const adding = (this.#adding = make("form", { class: "adding" },
      make("label", { for: "folder-path" }, "Add a folder, by its whole path"),
      make("div", { class: "box" }, this.#path, make("button", { class: "main" }, "Add"))));
    adding.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#add(this.#path.value.trim());
    });
    dialog.append(make("h2", { id: "folders-title" }, "Folders of this index"), this.#list, this.#note, adding,
      make("div", { class: "tools" }, this.#looking,
        make("form", { method: "dialog" }, make("button", { class: "main" }, "Close"))));
  }

  open() {
    this.#sure = null;
    this.#shown = "";
    this.#dialog.showModal();
  }

  /** The state's roots, whether this page may change them, and what is to be said of them; drawn anew only where something changed, so that focus stays. */
  show(roots, may, note) {
    this.#note.hidden = !note;
    say(this.#note, note ?? "");
    this.#adding.hidden = this.#looking.hidden = !may;
    this.#may = may;
    const now = JSON.stringify([roots, may, this.#sure]);
    if (now === this.#shown) return;
    const stood = this.#list.contains(document.activeElement) ? document.activeElement.dataset.root : null;
    this.#shown = now;
    this.#roots = roots;
    this.#list.replaceChildren(...(roots.length ? roots.map((root) => this.#row(root)) : [make("li", {}, may ? "None yet: add the first below." : "None.")]));
    if (stood) [...this.#list.querySelectorAll("button")].find((each) => each.dataset.root === stood)?.focus();
  }

  #row(root) {
    const { path, documents, present, problem, waiting } = root;
    const facts = [waiting ? "waiting to be indexed" : counted(documents, "document"), present ? "" : "not there now: what was indexed stays", problem || ""];
    const row = make("li", {}, make("div", {}, make("bdi", { class: "path" }, visible(path)), make("span", { class: "quiet" }, facts.filter(Boolean).join(" · "))));
    if (this.#sure === path) {
      row.append(make("p", { class: "note" }, `Take ${counted(documents, "document")} out of the index? The files stay as they are. `,
        button("Forget it", () => this.#forget(path), { class: "main", "data-root": path }), button("Keep it", () => this.#ask(null))));
    } else if (this.#may) row.append(button("Forget", () => this.#ask(path), { "aria-label": `Forget ${visible(path)}`, "data-root": path }));
    return row;
  }

  #ask(path) {
    this.#sure = path;
    this.show(this.#roots, this.#may, this.#note.textContent);
  }

  async #forget(path) {
    this.#sure = null;
    await this.#tell("forget", { path }, `Forgotten: ${visible(path)}`);
  }

  async #add(path) {
    if (path && (await this.#tell("add", { path }, `Added: ${visible(path)}`))) this.#path.value = "";
  }

  async #tell(route, body, done) {
    try {
      const { note } = await ask(route, body);
      toast(note ? `${done}. But ${visible(note)}` : done);
      return true;
    } catch (error) {
      toast(error.message);
      return false;
    } finally {
      this.onChange();
    }
  }
}
