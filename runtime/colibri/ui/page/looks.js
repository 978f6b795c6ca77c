/** Light, dark, or as the system has it. */

import { at, say } from "./dom.js";

const NEXT = { "": "light", light: "dark", dark: "" };
const NAMES = { "": "Auto", light: "Light", dark: "Dark" };

/** The button that changes it. */
export function changeLooks() {
  const button = at("theme");
  show();
  button.addEventListener("click", () => {
    const next = NEXT[document.documentElement.dataset.theme ?? ""];
    if (next) document.documentElement.dataset.theme = next;
    else delete document.documentElement.dataset.theme;
    try {
      localStorage.setItem("colibri.theme", next);
    } catch {
      // Storage may be forbidden: it lasts as long as the page.
    }
    show();
  });
}

function show() {
  const now = document.documentElement.dataset.theme ?? "";
  say(at("theme"), NAMES[now]);
  at("theme").setAttribute("aria-label", `Colours: ${NAMES[now].toLowerCase()}`);
}
