/** Elements without markup: whatever a file or its name holds becomes a text node, never HTML. */

/** Element by its id; a misspelt one ends the page here and not three calls later. */
export function at(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`no element ${id}`);
  return found;
}

/**
 * An element. `attributes`: names as HTML has them; true sets an empty one, false, null and undefined leave it out; `on`
 * is a function for its click. `children`: strings become text, null is left out.
 */
export function make(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "on") made.addEventListener("click", value);
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

/** A button that submits nothing. */
export function button(text, on, attributes = {}) {
  return make("button", { type: "button", on, ...attributes }, text);
}

/** Set a text only where it differs: a live region would say it again. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
