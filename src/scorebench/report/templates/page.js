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
  const [places, names, texts] = JSON.parse(plot.dataset.points);
  return {
    plot, places, names, texts,
    chart: plot.querySelector(".chart"),
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
  const x = `${one.places[one.index] / 10}%`;
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
  const group = one.plot.dataset.group;
  const along = group ? plots.filter((other) => other.plot.dataset.group === group) : [one];
  one.chart.addEventListener("pointermove", (event) => {
    const box = one.chart.getBoundingClientRect();
    along.forEach((other) => show(other, (event.clientX - box.left) / box.width * 1000));
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
