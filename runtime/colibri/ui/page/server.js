/**
 * Calls to the program that served this page.
 *
 * Its token came in the address's fragment, which no server sees; or a code that is good once, since every user of a
 * machine can read with what words a browser was started. Both are erased from the address. The token is kept for this
 * tab and travels in a header: a cookie would go to every port of this machine.
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

/** Take the token out of the address, or what this tab kept. Gives true where a new one came. */
export async function takeToken() {
  const came = new URLSearchParams(location.hash.slice(1));
  const [given, code] = [came.get("token"), came.get("code")];
  if (given || code) history.replaceState(null, "", location.pathname + location.search);
  else token ||= kept();
  if (code) await enter(code);
  if (given) useToken(given);
  return Boolean(given || code);
}

/** A code that is used up leaves things as they are: a page that was opened before has its token still. */
async function enter(code) {
  token ||= kept();
  try {
    const answer = await send("enter", { code });
    if (answer.ok) useToken((await answer.json()).token);
  } catch {
    // Nobody answers: the next call finds that out.
  }
}

function kept() {
  try {
    return sessionStorage.getItem(KEPT) || "";
  } catch {
    return ""; // storage may be forbidden: the token lasts as long as the page
  }
}

/** Use this token, or a key of a server in the house, from now on. What no header can hold is in neither. */
export function useToken(given) {
  token = given.replace(/[^!-~]/gu, "");
  try {
    sessionStorage.setItem(KEPT, token);
  } catch {
    // Storage may be forbidden.
  }
}

/**
 * One call: `body` undefined is a GET. Gives the answer's JSON. Throws Problem, Gone, or the AbortError of `signal`.
 */
export async function ask(route, body, signal) {
  const answer = await send(route, body, signal);
  if (!answer.ok) {
    const problem = new Problem(answer.status, await answer.json().catch(() => ({})));
    if (answer.status === 401 || problem.code.startsWith("AUTH_")) turn("locked", problem);
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
function turn(to, detail = null) {
  const was = to === "gone" || to === "back" ? gone : locked;
  const is = to === "gone" || to === "locked";
  if (to === "gone" || to === "back") gone = is;
  else locked = is;
  if (was !== is) line.dispatchEvent(new CustomEvent(to, { detail }));
}
