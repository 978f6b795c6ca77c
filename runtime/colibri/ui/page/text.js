/** Places in a text: the server counts code points, JavaScript counts UTF-16. */

const ASTRAL = /[\ud800-\udfff]/;

/** A function from a code point's place in `text` to its place in UTF-16; the end and what lies beyond is the length. */
export function utf16Places(text) {
  if (!ASTRAL.test(text)) return (place) => clamp(place, text.length);
  const places = [];
  let at = 0;
  for (const sign of text) {
    places.push(at);
    at += sign.length;
  }
  places.push(at);
  return (place) => places[clamp(place, places.length - 1)];
}

function clamp(place, most) {
  return Math.max(0, Math.min(most, place));
}
