/**
 * Calls to the program that served this page.
 *
 * Its token came in the address's fragment, which no server sees. It is erased from the address, kept for this tab, and
 * travels in a header: a cookie would go to every port of this machine.
 */

const KEPT = "colibri.token";
const API = new URL("api/", document.baseURI);

let token = "";

/** Of the connection: "gone", "back", "locked" (the token is missing or wrong), "open" (it was right after all). */
export const line = new EventTarget();

let gone = false;
let locked = false;

/** An answer that says what went wrong, in the server's words. */
export class Problem extends Error {
  constructor(status, body) {
    super(body.detail || `Colibri answered ${status}`);
    this.name = "Problem";
    this.status = status;
    this.code = body.code || "";
  }
}

/** Nobody answers at the address. */
export class Gone extends Error {
  constructor() {
    super("Colibri does not answer");
    this.name = "Gone";
  }
}

/**
 * Take the token out of the address, or what this tab kept. True where a new one came. A browser's command line, which
 * others may read, has a code in its place, which is good once.
 */
export async function takeToken() {
  const came = new URLSearchParams(location.hash.slice(1));
  if (came.has("token") || came.has("code")) {
    history.replaceState(null, "", location.pathname + location.search);
    useToken(came.get("token") || (await exchanged(came.get("code"))));
    return true;
  }
  try {
    token ||= sessionStorage.getItem(KEPT) || "";
  } catch {
    // Storage may be forbidden: the token lasts as long as the page.
  }
  return false;
}

async function exchanged(code) {
  try {
    return (await ask("enter", { code })).token;
  } catch {
    return ""; // it is said that the token is missing
  }
}

/** Use this token, or a key of a server in the house, from now on. */
export function useToken(given) {
  token = given;
  try {
    sessionStorage.setItem(KEPT, given);
  } catch {
    // As above.
  }
}

/**
 * One call: `body` undefined is a GET. Gives the answer's JSON. Throws Problem, Gone, or the AbortError of `signal`.
 */
export async function ask(route, body, signal) {
  const answer = await send(route, body, signal);
  if (!answer.ok) {
    const problem = new Problem(answer.status, await answer.json().catch(() => ({})));
    if (answer.status === 401) turn("locked");
    throw problem;
  }
  const read = await answer.json().catch((error) => {
    if (error.name === "AbortError") throw error;
    turn("gone"); // it ended in the middle of an answer
    throw new Gone();
  });
  turn("open");
  return read;
}

async function send(route, body, signal) {
  const headers = { "X-Colibri-Token": token };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  try {
    const answer = await fetch(new URL(route, API), {
      method: body === undefined ? "GET" : "POST",
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      signal,
      cache: "no-store",
      credentials: "omit",
      redirect: "error",
      referrerPolicy: "no-referrer",
    });
    turn("back");
    return answer;
  } catch (error) {
    if (error.name === "AbortError") throw error;
    turn("gone");
    throw new Gone();
  }
}

/** Tell of a change, once. */
function turn(to) {
  const was = to === "gone" || to === "back" ? gone : locked;
  const is = to === "gone" || to === "locked";
  if (to === "gone" || to === "back") gone = is;
  else locked = is;
  if (was !== is) line.dispatchEvent(new Event(to));
}
