"use strict";
// A table is sorted by the column whose head is pressed: numbers by value, what was not measured last.
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => head.querySelector("button").addEventListener("click", () => {
    const up = head.getAttribute("aria-sort") !== "ascending";
    heads.forEach((other) => other.setAttribute("aria-sort", "none"));
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    const value = (row) => parseFloat(row.cells[column].textContent.replaceAll(",", ""));
    const rows = [...table.tBodies[0].rows];
    rows.sort((a, b) => {
      const [x, y] = [value(a), value(b)];
      if (Number.isNaN(x) || Number.isNaN(y)) return Number.isNaN(x) - Number.isNaN(y);
      return up ? x - y : y - x;
    });
    table.tBodies[0].append(...rows);
  }));
}

// A chart tells its values at the pointer, or at the arrow keys; charts on the same axis go along.
const plots = [...document.querySelectorAll(".plot")].map((plot) => {
  const [places, names, texts, exact] = JSON.parse(plot.dataset.points);
  const chart = plot.querySelector(".chart");
  const keys = [...plot.querySelectorAll(".legend li:not(.at)")];
  return {
    plot, places, names, texts, exact, chart, keys,
    group: plot.dataset.group,
    title: chart.getAttribute("aria-label"),
    series: keys.map((key) => key.querySelector(".key").nextSibling.textContent.trim()),
    view: [0, 1000],
    cursor: plot.querySelector(".cursor"),
    at: plot.querySelector(".at"),
    values: [...plot.querySelectorAll(".value")],
  };
});

function nearest(places, place) {
  let low = 0;
  let high = places.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (places[middle] < place) low = middle + 1;
    else high = middle;
  }
  return low > 0 && place - places[low - 1] < places[low] - place ? low - 1 : low;
}

function show(one, place) {
  if (!one.places.length) return;
  one.index = nearest(one.places, place);
  const share = (one.places[one.index] - one.view[0]) / (one.view[1] - one.view[0]);
  if (share < 0 || share > 1) return;
  const x = `${share * 100}%`;
  one.cursor.setAttribute("x1", x);
  one.cursor.setAttribute("x2", x);
  one.cursor.classList.add("on");
  one.at.textContent = `at ${one.names[one.index]}`;
  one.values.forEach((value, series) => { value.textContent = one.texts[series][one.index]; });
}

function hide(one) {
  one.cursor.classList.remove("on");
  one.at.textContent = "";
  one.values.forEach((value) => { value.textContent = ""; });
}

for (const one of plots) {
  const along = one.group ? plots.filter((other) => other.group === one.group) : [one];
  one.chart.addEventListener("pointermove", (event) => {
    const box = one.chart.getBoundingClientRect();
    const [from, to] = one.view;
    along.forEach((other) => show(other, from + (event.clientX - box.left) / box.width * (to - from)));
  });
  one.chart.addEventListener("pointerleave", () => along.forEach(hide));
  one.chart.addEventListener("blur", () => along.forEach(hide));
  one.chart.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step || !one.places.length) return;
    event.preventDefault();
    const index = Math.min(Math.max((one.index ?? -step) + step, 0), one.places.length - 1);
    along.forEach((other) => show(other, one.places[index]));
  });
}
