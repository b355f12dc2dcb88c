// Comforts of the builder: real values under inputs, dragging, Ctrl+Enter. Without it the form does all by buttons.
(function () {
  "use strict";
  const form = () => document.getElementById("build");
  const lists = new Map();

  // The real values of a tag or property, asked for when its input is first entered.
  document.addEventListener("focusin", async (event) => {
    const of = event.target.dataset?.values;
    if (!of || event.target.list) return;
    if (!lists.has(of)) {
      const answer = await fetch("/api/audiences/values?of=" + encodeURIComponent(of), { headers: { Accept: "application/json" } });
      if (!answer.ok) return;
      const list = document.createElement("datalist");
      list.id = "values-" + lists.size;
      for (const each of (await answer.json()).values) {
        const option = document.createElement("option");
        option.value = each.value;
        const people = each.profiles.toLocaleString(document.documentElement.lang);
        const called = typeof each.label === "string" ? each.label : each.label?.[document.documentElement.lang];
        option.label = called ? called + " · " + people : people;
        list.append(option);
      }
      document.body.append(list);
      lists.set(of, list.id);
    }
    event.target.setAttribute("list", lists.get(of));
  });

  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.closest("#build")) {
      form().requestSubmit();
    } else if (event.key === "Escape" && event.target.id === "looking-for") {
      form().requestSubmit(form().querySelector("button[value=close]"));
    }
  });

  // What is posted by its own address goes as a plain form: the next page is another one.
  document.addEventListener("click", (event) => {
    const plain = event.target.closest("[data-plain]");
    if (!plain) return;
    event.preventDefault();
    const name = document.getElementById("name");
    if (name) name.required = true;
    const complete = form().reportValidity();
    if (name) name.required = false;
    if (!complete) return;
    form().action = plain.getAttribute("formaction");
    HTMLFormElement.prototype.submit.call(form());
  });

  // A row is dragged by its handle to another place of its group.
  let dragged = null;
  document.addEventListener("pointerdown", (event) => {
    const row = event.target.closest(".handle")?.parentElement;
    document.querySelectorAll(".build .parts > li[draggable]").forEach((each) => each.removeAttribute("draggable"));
    if (row) row.draggable = true;
  });
  document.addEventListener("dragstart", (event) => {
    if (!(event.target instanceof Element) || !event.target.matches(".build .parts > li")) return;
    dragged = event.target;
    dragged.classList.add("dragged");
    event.dataTransfer.setData("text/plain", dragged.dataset.row);
  });
  const target = (event) => {
    const row = event.target instanceof Element ? event.target.closest(".build .parts > li") : null;
    return row && dragged && row !== dragged && row.parentElement === dragged.parentElement ? row : null;
  };
  document.addEventListener("dragover", (event) => {
    const row = target(event);
    document.querySelectorAll(".build .over").forEach((each) => each.classList.remove("over"));
    if (row) { event.preventDefault(); row.classList.add("over"); }
  });
  document.addEventListener("drop", (event) => {
    const row = target(event);
    if (!row) return;
    event.preventDefault();
    const button = document.createElement("button");
    button.name = "op";
    button.value = `place:${dragged.dataset.row}:${[...row.parentElement.children].indexOf(row)}`;
    button.hidden = true;
    form().append(button);
    form().requestSubmit(button);
    button.remove();
  });
  document.addEventListener("dragend", () => { dragged?.classList.remove("dragged"); dragged = null; });

  // A browser keeps what was typed into a field over what the page now says. After an answer the page is right,
  // but for a field that was changed while one waited for it.
  const sent = new Map();
  const settle = () => {
    for (const field of form().elements) {
      if (field.type === "hidden" || field.closest(".save")) continue;
      const waited = sent.has(field.name) && sent.get(field.name) !== field.value;
      if (field.matches("input, textarea") && !waited && field.value !== field.defaultValue) field.value = field.defaultValue;
      if (field.matches("select") && !waited) for (const option of field.options) option.selected = option.defaultSelected;
      if (lists.has(field.dataset.values)) field.setAttribute("list", lists.get(field.dataset.values));
    }
    history.replaceState(null, "", form().dataset.here); // reloaded or in another language, it is as it stands
    const box = document.getElementById("looking-for");
    if (box && document.activeElement === document.body) box.focus();
  };
  document.addEventListener("htmx:before:request", () => {
    sent.clear();
    for (const field of form().elements) if (field.name) sent.set(field.name, field.value);
  });
  document.addEventListener("htmx:after:swap", settle);

  // Naming an audience asks for no new count, and what somebody folded open stays open over an answer.
  for (const kind of ["input", "change"]) document.addEventListener(kind, (event) => {
    if (event.target.closest("#build .save")) event.stopPropagation();
  }, true);
  let unfolded = [];
  document.addEventListener("htmx:before:swap", () => {
    unfolded = [...form().querySelectorAll("details[open]")].map((each) => each.className);
  });
  document.addEventListener("htmx:after:swap", () => {
    for (const each of form().querySelectorAll("details")) if (unfolded.includes(each.className)) each.open = true;
  });
})();
