// What the pages do beyond links and forms. Everything here is a comfort: without it the pages still work.
(function () {
  "use strict";
  const root = document.documentElement;
  const typing = (element) => element && (element.matches("input, textarea, select") || element.isContentEditable);

  // Keys: / searches, ? lists the keys, t switches the theme, g then a letter goes somewhere.
  const places = { c: "/cockpit", p: "/people", a: "/audiences/preview", s: "/system" };
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

  // Examples fill the condition and ask at once.
  document.addEventListener("click", (event) => {
    const example = event.target.closest("[data-condition]");
    const box = document.getElementById("condition");
    if (!example || !box) return;
    event.preventDefault();
    box.value = example.dataset.condition;
    box.dispatchEvent(new Event("input", { bubbles: true }));
    box.focus();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.id === "condition") {
      event.target.form.requestSubmit();
    }
  });

  // Charts, from numbers in the page; the table beside each one says the same.
  const dark = () => getComputedStyle(root).colorScheme === "dark" ||
    (!root.dataset.bsTheme && matchMedia("(prefers-color-scheme: dark)").matches);
  const hues = () => dark() ? ["#6dbdcd", "#f0a36b", "#6fcf8e"] : ["#0b7285", "#c2571a", "#1c7a3e"];
  const draw = (place) => {
    const told = JSON.parse(place.dataset.chart);
    const ink = dark() ? "#a9babf" : "#4a5c62";
    const line = dark() ? "#2a3a3f" : "#dfe6e8";
    const money = told.series.find((each) => each.unit === "money");
    place.hidden = false;
    const chart = window.echarts.getInstanceByDom(place) || window.echarts.init(place, null, { renderer: "canvas" });
    const axis = { axisLabel: { color: ink }, splitLine: { lineStyle: { color: line } }, type: "value" };
    chart.setOption({
      animation: false,
      aria: { enabled: true },
      textStyle: { fontFamily: getComputedStyle(document.body).fontFamily },
      grid: { left: 8, right: 8, top: 36, bottom: 4, containLabel: true },
      legend: { top: 0, left: 0, textStyle: { color: ink }, icon: "roundRect", itemWidth: 12, itemHeight: 4 },
      tooltip: { trigger: "axis", renderMode: "richText" },
      xAxis: { type: "category", data: told.days.map((day) => day.slice(5)), axisLabel: { color: ink }, axisLine: { lineStyle: { color: line } }, axisTick: { show: false } },
      yAxis: money ? [axis, { ...axis, splitLine: { show: false } }] : [axis],
      color: told.series.map((each, place) => each === money ? hues()[0] : hues()[1 + (place % 2)]),
      series: told.series.map((each) => each === money
        ? { name: each.name, type: "bar", data: each.values, yAxisIndex: 0, barMaxWidth: 14, itemStyle: { borderRadius: [2, 2, 0, 0] } }
        : { name: each.name, type: "line", data: each.values, yAxisIndex: money ? 1 : 0, showSymbol: false, lineStyle: { width: 2 } }),
    }, true);
    return chart;
  };
  const save = (name, address) => {
    const link = document.createElement("a");
    link.href = address;
    link.download = name;
    link.click();
  };
  const drawn = window.echarts ? [...document.querySelectorAll("[data-chart]")].map((place) => [place, draw(place)]) : [];
  addEventListener("resize", () => drawn.forEach(([, chart]) => chart.resize()));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawn.forEach(([place]) => draw(place)));
  document.querySelectorAll("[data-save-chart]").forEach((button) => {
    const found = drawn.find(([place]) => place.id === button.dataset.saveChart);
    if (!found) return;
    button.hidden = false;
    button.addEventListener("click", () => save("chart.png", found[1].getDataURL({ pixelRatio: 2, backgroundColor: dark() ? "#162124" : "#ffffff" })));
  });
  document.querySelectorAll("[data-save-table]").forEach((button) => {
    const table = document.getElementById(button.dataset.saveTable);
    if (!table) return;
    button.hidden = false;
    button.addEventListener("click", () => {
      const cells = [...table.rows].map((row) => [...row.cells].map((cell) => '"' + cell.textContent.trim().replaceAll('"', '""') + '"').join(","));
      save("table.csv", URL.createObjectURL(new Blob(["\ufeff" + cells.join("\r\n")], { type: "text/csv" })));
    });
  });
})();
