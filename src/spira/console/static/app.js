// What the pages do beyond links and forms. Everything here is a comfort: without it the pages still work.
(function () {
  "use strict";
  const root = document.documentElement;
  const typing = (element) => element && (element.matches("input, textarea, select") || element.isContentEditable);

  // Keys: / searches, ? lists the keys, t switches the theme, g then a letter goes somewhere; the rail says where.
  const places = Object.fromEntries([...document.querySelectorAll("[data-key]")].map((link) => [link.dataset.key, link.getAttribute("href")]));
  let going = false;
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || typing(document.activeElement)) return;
    const search = document.getElementById("search");
    const dialog = document.getElementById("shortcuts");
    if (going && places[event.key]) {
      location.assign(places[event.key]);
    } else if (event.key === "/" && search) {
      event.preventDefault();
      search.focus();
    } else if (event.key === "?" && dialog && !dialog.open) {
      dialog.showModal();
    } else if (event.key === "t") {
      document.getElementById("theme")?.click();
    }
    going = event.key === "g";
  });

  // The answer of the search is walked with the arrow keys, and closed with Escape.
  const search = document.getElementById("search");
  const found = () => [...document.querySelectorAll("#found a")];
  document.addEventListener("keydown", (event) => {
    if (!search || !event.target.closest(".seek")) return;
    const links = found();
    const place = links.indexOf(document.activeElement);
    if (event.key === "Escape") {
      document.getElementById("found")?.replaceChildren();
      search.focus();
    } else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && links.length) {
      event.preventDefault();
      const next = place + (event.key === "ArrowDown" ? 1 : -1);
      if (next < 0) search.focus();
      else links[Math.min(next, links.length - 1)].focus();
    }
  });
  document.addEventListener("click", (event) => {
    if (!event.target.closest(".seek")) document.getElementById("found")?.replaceChildren();
  });

  // A form that asks to type a name enables its button when the name is right.
  document.querySelectorAll("[data-confirm]").forEach((box) => {
    const button = box.form.querySelector("button[type=submit], button:not([type])");
    const judge = () => { button.disabled = box.value.trim() !== box.dataset.confirm; };
    box.addEventListener("input", judge);
    judge();
  });

  // What was typed and not sent is asked about before the page is left.
  let unsaved = false;
  document.addEventListener("input", (event) => { if (event.target.closest("form[data-keep]")) unsaved = true; });
  document.addEventListener("submit", () => { unsaved = false; });
  addEventListener("beforeunload", (event) => { if (unsaved) event.preventDefault(); });

  // Another language or theme loads the page anew: what was typed and not sent comes back into the same forms.
  const fields = (form) => [...form.elements].filter((each) => each.name && each.type !== "password" && each.type !== "file");
  const named = (form) => JSON.stringify([form.getAttribute("action"), fields(form).filter((each) => each.type === "hidden" && each.name !== "csrf").map((each) => each.value)]);
  const typed = (form) => fields(form).filter((each) => each.type !== "hidden").map((each) => [each.name, each.value, each.checked ?? false]);
  document.addEventListener("submit", (event) => {
    if (event.target.getAttribute("action") !== "/me/preferences") return;
    const forms = [...document.querySelectorAll("form[data-keep]")].map((form) => [named(form), typed(form)]);
    if (forms.length) sessionStorage.setItem("typed", JSON.stringify(forms));
  });
  const before = new Map(JSON.parse(sessionStorage.getItem("typed") ?? "[]"));
  sessionStorage.removeItem("typed");
  document.querySelectorAll("form[data-keep]").forEach((form) => {
    const rows = before.get(named(form)) ?? [];
    fields(form).filter((each) => each.type !== "hidden").forEach((each, place) => {
      const [name, value, checked] = rows[place] ?? [];
      if (name !== each.name) return;
      const changed = each.value !== value || (each.checked ?? false) !== checked;
      each.value = value;
      if (each.checked !== undefined) each.checked = checked;
      unsaved = unsaved || changed;
    });
  });

  // A part that is being replaced says so to who listens; how it looks meanwhile is in waiting.css.
  const busy = (event, value) => { const part = event.detail?.ctx?.target; if (part instanceof Element) part.ariaBusy = value; };
  document.addEventListener("htmx:before:request", (event) => busy(event, "true"));
  document.addEventListener("htmx:finally:request", (event) => busy(event, null));

  // Secrets that are shown once can be copied.
  document.querySelectorAll("[data-copy]").forEach((button) => {
    button.hidden = !navigator.clipboard;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent.trim());
      button.classList.add("copied");
    });
  });
})();
