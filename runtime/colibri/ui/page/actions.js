/** What one does with a hit: open its file, show its folder, copy it with its place. */

import { at } from "./dom.js";
import { toast } from "./saying.js";
import { ask } from "./server.js";
import { place } from "./wording.js";

/** Open the file, at the passage where the program that opens it can. */
export function open(file, passage) {
  return act("open", file, passage, `Opened ${file.name}`);
}

/** Show the file in its folder. */
export function reveal(file, passage) {
  return act("reveal", file, passage, `Showed the folder of ${file.name}`);
}

async function act(route, file, passage, done) {
  try {
    await ask(route, passage ? { id: passage.id, start: passage.start } : { id: file.id });
    toast(done);
  } catch (error) {
    toast(error.message, error.code === "FILE_RUNS" ? { text: "Show folder", on: () => reveal(file, passage) } : null);
  }
}

/** What is shown of the passage, in quotes, with file and place. */
export function citation({ file, passage, shown }) {
  const [start, end] = shown;
  const quote = passage.text.slice(start, end).replace(/\s+/gu, " ").trim();
  const where = [file.name, place(passage)].filter(Boolean).join(", ");
  const cut = [start > 0 ? "…" : "", end < passage.text.length ? "…" : ""];
  return `“${cut[0]}${quote}${cut[1]}”\n${where}${file.path ? ` (${file.path})` : ""}`;
}

/** Copy the citation; where a browser forbids it (a page that came over plain HTTP), show it selected. */
export async function cite(hit) {
  const text = citation(hit);
  try {
    await navigator.clipboard.writeText(text);
    toast("Copied, with its place");
  } catch {
    const box = at("cited-text");
    box.value = text;
    at("cited").showModal();
    box.select();
  }
}
