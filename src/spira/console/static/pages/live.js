// Live events: follow the stream from where the page ends; the page is whole without it.
(function () {
  "use strict";
  const list = document.getElementById("events");
  const pulse = document.getElementById("pulse");
  const pause = document.getElementById("pause");
  if (!list || !window.EventSource) return;
  const MOST = 200;
  let after = list.dataset.after;
  let arrived = 0;
  let source = null;

  const tell = (state) => {
    pulse.dataset.state = state;
    const news = arrived ? ` · ${pulse.dataset.new.replace("#", String(arrived))}`
      : state === "following" ? ` · ${pulse.dataset.quiet}` : "";
    pulse.textContent = pulse.dataset[state] + news;
  };
  const put = (html) => {
    document.getElementById("nothing")?.remove();
    const part = document.createElement("template");
    part.innerHTML = html;
    const rows = [...part.content.querySelectorAll("li[data-event]")]
      .filter((row) => !list.querySelector(`[data-event="${row.dataset.event}"]`));
    rows.forEach((row) => row.classList.add("fresh"));
    list.prepend(...rows);
    arrived += rows.length;
    while (list.children.length > MOST) list.lastElementChild.remove();
  };
  const go = () => {
    const asked = new URLSearchParams(location.search);
    asked.set("after", after);
    source = new EventSource(`/live/stream?${asked}`);
    source.addEventListener("open", () => tell("following"));
    source.addEventListener("news", (event) => {
      after = event.lastEventId || after;
      put(event.data);
      tell("following");
    });
    source.addEventListener("error", () => { if (source && source.readyState === EventSource.CLOSED) tell("lost"); });
  };
  const stop = () => { source?.close(); source = null; };

  pause.hidden = false;
  pause.addEventListener("click", () => {
    const going = source !== null;
    if (going) stop(); else go();
    pause.setAttribute("aria-pressed", String(going));
    pause.textContent = going ? pause.dataset.go : pause.dataset.pause;
    if (going) tell("paused");
  });
  addEventListener("pagehide", stop);
  addEventListener("pageshow", (event) => { if (event.persisted && pause.getAttribute("aria-pressed") === "false" && !source) go(); });
  go();
})();
