/** What a screen reader says, and a line at the foot of the page for the eye. */

import { at, button, say } from "./dom.js";

let saying = 0;
let fading = 0;

/** Say it when nothing newer came for a moment: while someone types, only the last answer is worth hearing. */
export function announce(text, wait = 600) {
  clearTimeout(saying);
  inSight(at("said"));
  saying = setTimeout(() => say(at("said"), text), Math.max(wait, 50));
}

/** Show and say what was just done, or why not. more: {text, on} of a button beside it. */
export function toast(text, more = null) {
  const line = at("toast");
  inSight(line);
  line.replaceChildren(text, ...(more ? [" ", button(more.text, more.on)] : []));
  line.hidden = false;
  announce(text, 0);
  clearTimeout(fading);
  fading = setTimeout(() => {
    line.hidden = true;
  }, Math.min(12000, 3000 + 60 * text.length)); // long enough to be read
}

/** All that lies outside an open dialog is inert: neither seen above it nor said. */
function inSight(element) {
  const room = document.querySelector("dialog[open]") ?? document.body;
  if (element.parentNode !== room) room.append(element);
}
