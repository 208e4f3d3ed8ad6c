// What a person can do with a chart: switch series off, look closer at a part of the run, keep it as a file.
const SVG = "http://www.w3.org/2000/svg";

function button(text, press) {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = text;
  made.addEventListener("click", press);
  return made;
}

function drawn(one, tag, kind) {
  const made = document.createElementNS(SVG, tag);
  made.setAttribute("class", kind);
  one.chart.append(made);
  return made;
}

// A name in the legend switches its line off and on.
function switchable(one) {
  const paths = [...one.chart.querySelectorAll(".lines > path:not(.alone)")];
  const keys = [...one.plot.querySelectorAll(".legend li:not(.at)")];
  if (keys.length < 2) return;
  keys.forEach((key, series) => {
    const parts = [...key.childNodes];
    const made = button("", () => {
      const off = paths[series].classList.toggle("off");
      made.setAttribute("aria-pressed", String(!off));
    });
    made.setAttribute("aria-pressed", "true");
    made.append(...parts);
    key.append(made);
  });
}

// Places are thousandths of the whole width, as in data-points; what has data-x moves along.
function zoom(one, from, to) {
  const whole = from === 0 && to === 1000;
  one.view = [from, to];
  const lines = one.chart.querySelector(".lines");
  const [, , , height] = lines.getAttribute("viewBox").split(" ");
  lines.setAttribute("viewBox", `${from} 0 ${to - from} ${height}`);
  lines.classList.toggle("zoomed", !whole);
  for (const each of one.chart.querySelectorAll("[data-x]")) {
    const at = (parseFloat(each.dataset.x) * 1000 - from) / (to - from);
    const replaced = !whole && each.matches(".grid, .tick:not(.mark-name)");
    each.classList.toggle("off", replaced || at < 0 || at > 1);
    const names = each.tagName === "line" ? ["x1", "x2"] : ["x"];
    names.forEach((name) => each.setAttribute(name, `${at * 100}%`));
  }
  relabel(one, whole);
  one.reset.hidden = whole;
  hide(one);
}

// Five labels of their own for a part, at places that have a value.
function relabel(one, whole) {
  for (const old of one.chart.querySelectorAll(".closer")) old.remove();
  if (whole || !one.places.length) return;
  const [from, to] = one.view;
  const original = one.chart.querySelector(".tick[data-x]");
  const indices = [0, 1, 2, 3, 4].map((n) => nearest(one.places, from + (to - from) * n / 4));
  for (const index of new Set(indices)) {
    const share = (one.places[index] - from) / (to - from);
    if (share < 0 || share > 1) continue;
    const text = drawn(one, "text", "tick closer");
    text.setAttribute("x", `${share * 100}%`);
    text.setAttribute("y", original.getAttribute("y"));
    text.setAttribute("text-anchor", "middle");
    text.textContent = one.names[index];
  }
}

function placeAt(one, event) {
  const box = one.chart.getBoundingClientRect();
  const share = Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1);
  return one.view[0] + share * (one.view[1] - one.view[0]);
}

// The part over which the pointer is dragged is shown alone, in all charts of the run.
function zoomable(one, along) {
  const marked = drawn(one, "rect", "chosen");
  let start = null;
  const choose = (to) => {
    const share = (place) => (place - one.view[0]) / (one.view[1] - one.view[0]) * 100;
    marked.setAttribute("x", `${share(Math.min(start, to))}%`);
    marked.setAttribute("width", `${Math.abs(share(to) - share(start))}%`);
    marked.setAttribute("height", one.cursor.getAttribute("y2"));
  };
  const end = () => { start = null; marked.setAttribute("width", "0"); };
  one.chart.addEventListener("pointerdown", (event) => {
    start = placeAt(one, event);
    one.chart.setPointerCapture(event.pointerId);
  });
  one.chart.addEventListener("pointermove", (event) => { if (start !== null) choose(placeAt(one, event)); });
  one.chart.addEventListener("pointercancel", end);
  one.chart.addEventListener("pointerup", (event) => {
    if (start === null) return;
    const [from, to] = [start, placeAt(one, event)].sort((a, b) => a - b);
    const least = (one.view[1] - one.view[0]) / 100;
    end();
    if (to - from > least) along.forEach((other) => zoom(other, from, to));
  });
  one.chart.addEventListener("dblclick", () => along.forEach((other) => zoom(other, 0, 1000)));
  one.chart.addEventListener("keydown", (event) => {
    const factor = { "+": 0.5, "-": 2 }[event.key];
    if (!factor || !one.places.length) return;
    event.preventDefault();
    const [from, to] = one.view;
    const width = Math.min((to - from) * factor, 1000);
    const middle = one.index === undefined ? (from + to) / 2 : one.places[one.index];
    const low = Math.min(Math.max(middle - width / 2, 0), 1000 - width);
    along.forEach((other) => zoom(other, low, low + width));
  });
}

function save(name, kind, text) {
  const link = document.createElement("a");
  const made = URL.createObjectURL(new Blob([text], { type: kind }));
  link.setAttribute("href", made);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(made), 10000);
}

// The chart as it is shown now, with its names below and the page's own style sheet.
function asImage(one) {
  const box = one.chart.getBoundingClientRect();
  const [left, top, line] = [80, 30, 18];
  const keys = [...one.plot.querySelectorAll(".legend li:not(.at)")]
    .filter((_, series) => !one.chart.querySelectorAll(".lines > path:not(.alone)")[series].classList.contains("off"));
  const image = document.createElementNS(SVG, "svg");
  const [width, height] = [box.width + left + 30, box.height + top + line * (keys.length + 1)];
  image.setAttribute("width", width);
  image.setAttribute("height", height);
  const put = (tag, given, text = "") => {
    const made = document.createElementNS(SVG, tag);
    Object.entries(given).forEach(([name, value]) => made.setAttribute(name, value));
    made.textContent = text;
    image.append(made);
  };
  put("style", {}, document.querySelector("style").textContent);
  put("rect", { class: "paper", width: "100%", height: "100%" });
  put("text", { class: "told", x: left, y: 18 }, one.title);
  const chart = one.chart.cloneNode(true);
  Object.entries({ x: left, y: top, width: box.width, class: "" })
    .forEach(([name, value]) => chart.setAttribute(name, value));
  chart.setAttribute("overflow", "visible");
  image.append(chart);
  keys.forEach((key, number) => {
    const y = top + box.height + line * (number + 1);
    const sign = key.querySelector(".key").cloneNode(true);
    Object.entries({ x: left, y: y - 8, width: 24, height: 8 })
      .forEach(([name, value]) => sign.setAttribute(name, value));
    image.append(sign);
    put("text", { class: "told", x: left + 32, y }, one.series[one.keys.indexOf(key)]);
  });
  return new XMLSerializer().serializeToString(image);
}

// A quote doubles; what a spreadsheet would take for a formula is text.
function cell(value) {
  if (typeof value === "number") return String(value);
  const text = String(value ?? "");
  return `"${(/^[=+\-@]/.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`;
}

// In base units: seconds, calls a second, shares, bytes.
function asData(one) {
  const rows = [["at", ...one.series]];
  one.exact[0].forEach((at, row) => rows.push([at, ...one.exact[1].map((values) => values[row] ?? "")]));
  return rows.map((row) => row.map((value) => (value === "" ? "" : cell(value))).join(",") + "\r\n").join("");
}

for (const one of plots) {
  const along = plots.filter((other) => other === one || (one.group && other.group === one.group));
  const file = one.title.toLowerCase().replace(/[^a-z0-9]+/g, "-");
  const tools = document.createElement("p");
  one.reset = button("Show the whole run", () => along.forEach((other) => zoom(other, 0, 1000)));
  one.reset.hidden = true;
  tools.className = "tools";
  tools.append(
    button("Save image", () => save(`${file}.svg`, "image/svg+xml", asImage(one))),
    button("Save data", () => save(`${file}.csv`, "text/csv", asData(one))),
    one.reset,
  );
  one.plot.append(tools);
  switchable(one);
  if (one.group === "time") {
    tools.append("Drag across to look closer.");
    zoomable(one, along);
  }
}
