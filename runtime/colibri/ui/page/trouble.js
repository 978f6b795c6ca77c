/** What went wrong, and what to do about it, over the results: no token, nobody there, a search that failed. */

import { at, button, make } from "./dom.js";
import { announce } from "./saying.js";
import { useToken } from "./server.js";

export class Trouble {
  #shown = "";

  /** onAgain() when someone wants it tried again, after a token was typed as well. */
  constructor(onAgain) {
    this.onAgain = onAgain;
  }

  /** "gone", "locked" or "failed", with more behind it; "" where all is well. */
  get kind() {
    return this.#shown;
  }

  /** Whether no search can be answered now. */
  get stops() {
    return this.#shown.startsWith("gone") || this.#shown.startsWith("locked");
  }

  /** Nobody answers. What was found stays in sight. */
  gone() {
    this.#show("gone", "Colibri does not answer", [
      make("p", {}, "It was closed, or its machine sleeps. Start it again with ", make("code", {}, "colibri ui"),
        "; the page it opens is this one anew, and where the address is the same, this page goes on by itself."),
      button("Try now", this.onAgain),
    ]);
  }

  /** The token or key is missing or wrong; problem: what the server said. */
  locked(problem) {
    const house = problem?.code.startsWith("AUTH_"); // a server in the house, which knows keys
    const typed = make("input", { id: "token", type: "password", autocomplete: "off", required: true });
    const form = make("form", { class: "adding" },
      make("label", { for: "token" }, house ? "Key" : "Token"), make("div", { class: "box" }, typed, make("button", { class: "main" }, "Use it")));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      useToken(typed.value.trim());
      this.onAgain();
    });
    this.#show(`locked ${house}`, "This page has no right to search here", [
      house ? make("p", {}, `This server wants one of its keys, which whoever runs it makes with colibri keys add: ${problem.message}`)
        : make("p", {}, "It wants the token that ", make("code", {}, "colibri ui"), " makes at each start: open the whole address which the command prints, with what stands after #, or start the command again and it opens the page."),
      form,
    ]);
  }

  /** A search that failed, in the server's words. */
  failed(error) {
    this.#show(`failed: ${error.message}`, "The search failed", [make("p", {}, error.message), button("Search again", this.onAgain)]);
  }

  /** All is well. */
  over() {
    if (!this.#shown) return;
    if (this.#shown === "gone") announce("Colibri answers again");
    this.#shown = "";
    at("trouble").hidden = true;
    at("trouble").replaceChildren();
  }

  #show(kind, title, content) {
    if (this.#shown === kind) return;
    this.#shown = kind;
    at("trouble").replaceChildren(make("h2", {}, title), ...content);
    at("trouble").hidden = false;
  }
}
