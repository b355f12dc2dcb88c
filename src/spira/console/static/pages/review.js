// The three answers by a key each: s same, d different, u unsure. Without it the buttons do the same.
(function () {
  "use strict";
  let before = "";  // after a g, a letter goes somewhere else (app.js)
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    if (event.target.matches("input, textarea, select") || document.querySelector("dialog[open]")) return;
    const asked = before !== "g";
    before = event.key;
    if (asked) document.querySelector(`[data-answer="${CSS.escape(event.key)}"]`)?.click();
  });
})();
