// Runs before the first paint, so that a page that is kept dark never flashes; no module, which would wait.
(() => {
  "use strict";
  let kept = null;
  try {
    kept = localStorage.getItem("colibri.theme");
  } catch {
    // Storage may be forbidden: then the system's colours.
  }
  if (kept === "light" || kept === "dark") document.documentElement.dataset.theme = kept;
})();
