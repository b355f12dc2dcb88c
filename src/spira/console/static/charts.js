// Charts, from numbers in the page; the table beside each one says the same, and stays when this does not run.
(function () {
  "use strict";
  const root = document.documentElement;
  const dark = () => root.dataset.bsTheme === "dark" ||
    (root.dataset.bsTheme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  // An order that holds for colour-blind eyes: blue, orange, green, magenta, gold, grey.
  const HUES = {
    light: ["#0b7285", "#c2571a", "#1c7a3e", "#a3386f", "#8a6a00", "#5b6b70"],
    dark: ["#6dbdcd", "#f0a36b", "#6fcf8e", "#e58fbd", "#e3c25c", "#a9babf"],
  };
  const short = (value) => {
    const zh = root.lang === "zh-CN";
    return new Intl.NumberFormat(zh ? "zh-CN" : "en", { notation: "compact", maximumFractionDigits: 1 }).format(value);
  };
  const told = (unit) => (value) => value === null || value === undefined ? "–"
    : unit === "share" ? `${(value * 100).toFixed(1)}%`
    : value.toLocaleString(root.lang, { maximumFractionDigits: unit === "money" ? 2 : 2 });

  const draw = (place) => {
    const spec = JSON.parse(place.dataset.chart);
    const ink = dark() ? "#a9babf" : "#4a5c62";
    const line = dark() ? "#2a3a3f" : "#dfe6e8";
    const hues = HUES[dark() ? "dark" : "light"];
    place.hidden = false;
    const chart = window.echarts.getInstanceByDom(place) || window.echarts.init(place, null, { renderer: "canvas" });
    const units = [...new Set(spec.series.map((each) => each.unit || "count"))].slice(0, 2);
    const values = units.map((unit, at) => ({
      type: "value",
      minInterval: unit === "count" ? 1 : 0,
      axisLabel: { color: ink, formatter: unit === "share" ? (value) => `${Math.round(value * 100)}%` : short },
      splitLine: { show: at === 0, lineStyle: { color: line } },
    }));
    const names = {
      type: "category", data: spec.x, inverse: Boolean(spec.horizontal),
      axisLabel: { color: ink, width: spec.horizontal ? 140 : undefined, overflow: "truncate", hideOverlap: true,
        formatter: (text) => /^\d{4}-\d\d-\d\d$/.test(text) ? text.slice(5) : text },
      axisLine: { lineStyle: { color: line } }, axisTick: { show: false },
    };
    const several = spec.series.length > 1;
    chart.setOption({
      animation: false,
      aria: { enabled: true },
      color: hues,
      textStyle: { fontFamily: getComputedStyle(document.body).fontFamily },
      grid: { left: 8, right: spec.horizontal ? 56 : 16, top: several ? 36 : 16, bottom: 4, containLabel: true },
      legend: { show: several, top: 0, left: 0, textStyle: { color: ink }, icon: "roundRect", itemWidth: 12, itemHeight: 4 },
      tooltip: { trigger: "axis", renderMode: "richText", axisPointer: { type: spec.horizontal ? "shadow" : "line" } },
      xAxis: spec.horizontal ? values : names,
      yAxis: spec.horizontal ? names : values,
      series: spec.series.map((each) => {
        const unit = each.unit || "count";
        const axis = Math.max(units.indexOf(unit), 0);
        const shared = { name: each.name, data: each.values, tooltip: { valueFormatter: told(unit) },
          ...(spec.horizontal ? { xAxisIndex: axis } : { yAxisIndex: axis }) };
        return each.type === "bar"
          ? { ...shared, type: "bar", barMaxWidth: spec.horizontal ? 20 : 14, stack: spec.stack ? "all" : undefined,
              itemStyle: { borderRadius: 2 },
              label: { show: Boolean(spec.horizontal), position: "right", color: ink, formatter: ({ value }) => told(unit)(value) } }
          : { ...shared, type: "line", showSymbol: each.values.filter((value) => value !== null).length < 3, lineStyle: { width: 2 },
              connectNulls: false, step: each.step ? "end" : false };
      }),
    }, true);
    return chart;
  };

  const save = (name, address) => {
    const link = document.createElement("a");
    link.href = address;
    link.download = name;
    link.click();
  };
  const drawn = () => [...document.querySelectorAll("[data-chart]")];
  const all = () => window.echarts && drawn().forEach(draw);
  all();
  addEventListener("resize", () => drawn().forEach((place) => window.echarts?.getInstanceByDom(place)?.resize()));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", all);
  document.addEventListener("htmx:after:swap", all);
  document.querySelectorAll("[data-save-chart]").forEach((button) => { button.hidden = false; });
  document.querySelectorAll("[data-save-table]").forEach((button) => { button.hidden = false; });
  document.addEventListener("click", (event) => {
    const picture = event.target.closest("[data-save-chart]");
    const sheet = event.target.closest("[data-save-table]");
    if (picture) {
      const chart = window.echarts.getInstanceByDom(document.getElementById(picture.dataset.saveChart));
      save("chart.png", chart.getDataURL({ pixelRatio: 2, backgroundColor: dark() ? "#162124" : "#ffffff" }));
    } else if (sheet) {
      const rows = [...document.getElementById(sheet.dataset.saveTable).rows];
      const cells = rows.map((row) => [...row.cells].map((cell) => '"' + cell.textContent.trim().replaceAll('"', '""') + '"').join(","));
      save("table.csv", URL.createObjectURL(new Blob(["\ufeff" + cells.join("\r\n")], { type: "text/csv" })));
    }
  });
})();
