// Comforts of the big lists: the bar counts what is ticked, one box ticks the page, a menu closes by itself.
(function () {
  "use strict";
  const bar = () => document.querySelector("[data-bulk]");
  const boxes = () => [...document.querySelectorAll("input[name=chosen][form=bulk]")];

  const count = () => {
    const form = bar();
    if (!form) return;
    const all = boxes();
    const ticked = all.filter((box) => box.checked).length;
    const said = form.querySelector("[data-said]");
    const text = ticked === 1 ? form.dataset.one : form.dataset.many.replace("#", ticked.toLocaleString(document.documentElement.lang));
    if (ticked) form.dataset.count = ticked;
    else delete form.dataset.count;
    if (said.textContent !== text) said.textContent = text;
    form.querySelector("[data-pick-none]").hidden = !ticked;
    for (const button of form.querySelectorAll("[data-needs]")) button.disabled = !button.dataset.needs.split(" ").includes(String(ticked));
    const whole = document.querySelector("[data-pick-all]");
    if (!whole) return;
    whole.hidden = !all.length;
    whole.firstElementChild.checked = ticked > 0 && ticked === all.length;
    whole.firstElementChild.indeterminate = ticked > 0 && ticked < all.length;
  };
  const tick = (which, to) => { for (const box of which) box.checked = to; count(); };

  // With Shift, everything between the box ticked last and this one becomes as this one is.
  let last = null;
  document.addEventListener("click", (event) => {
    const box = event.target.closest?.("input[name=chosen][form=bulk]");
    if (box) {
      const all = boxes();
      if (event.shiftKey && last && all.includes(last)) {
        const [from, to] = [all.indexOf(last), all.indexOf(box)].sort((a, b) => a - b);
        tick(all.slice(from, to + 1), box.checked);
      }
      last = box;
    }
    if (event.target.closest?.("[data-pick-none]")) { tick(boxes(), false); document.querySelector("[data-pick-all] input")?.focus(); }
    for (const menu of document.querySelectorAll("[data-menu][open]")) if (!menu.contains(event.target)) menu.open = false;
  });
  document.addEventListener("change", (event) => {
    if (event.target.closest("[data-pick-all]")) tick(boxes(), event.target.checked);
    else if (event.target.matches("input[name=chosen]")) count();
  });
  document.addEventListener("keydown", (event) => {
    const menu = event.key === "Escape" && event.target.closest?.("[data-menu][open]");
    if (!menu) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });

  // A list that was narrowed in place is found again when the page is loaded anew.
  document.addEventListener("htmx:after:swap", () => {
    count();
    const here = document.querySelector("#listing[data-here]");
    if (here) history.replaceState(null, "", here.dataset.here);
  });
  addEventListener("pageshow", count);
  count();
})();
