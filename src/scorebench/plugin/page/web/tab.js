/* Fills the scorebench tab of Locust's page, or the page of its own. Knows where texts belong; every text is
   set as text, so that nothing a server answered can become part of the page. */
"use strict";
(() => {
  const TITLE = "scorebench";
  const base = new URL(".", document.currentScript.src);
  const panel = element("section", "scorebench");
  panel.setAttribute("role", "tabpanel");
  panel.setAttribute("aria-label", TITLE);
  panel.hidden = true;
  const drawn = new Map();
  let asking = false;

  function element(name, className, ...children) {
    const made = document.createElement(name);
    if (className) made.className = className;
    made.append(...children);
    return made;
  }

  function progress(board) {
    if (!board) return element("p", "scorebench-status", "No run yet: start one on the first page.");
    const status = element("p", "scorebench-status", (board.running ? "Running: " : "Ended: ") + board.progress);
    if (board.share_done === null) return status;
    const bar = element("progress");
    bar.value = board.share_done;
    bar.setAttribute("aria-label", "done");
    return element("div", "", status, bar);
  }

  function verdict(line) {
    const advice = line.advice ? [element("small", "", line.advice)] : [];
    return element("li", "", element("span", "", line.text), element("b", "scorebench-" + line.tone, line.word), ...advice);
  }

  function figure(one) {
    return element("div", "", element("dt", "", one.name), element("dd", "", one.value),
      element("dd", "scorebench-note", one.note));
  }

  function drawing(name, attributes, ...children) {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  }

  /* Places are shares of the chart; a point that is null breaks the line. A point alone is drawn as a dot. */
  function path(points) {
    let drawn = "", before = null;
    points.forEach((point, index) => {
      const alone = !before && !points[index + 1];
      if (point) drawn += (before ? "L" : "M") + point[0] + " " + point[1] + (alone ? "h0" : "");
      before = point;
    });
    return drawn;
  }

  function chart(one) {
    const name = one.title + ": " + one.lines.map((line) => line.name + " " + line.value).join(", ");
    const lines = one.lines.map((line, index) =>
      drawing("path", { class: "scorebench-line scorebench-line-" + index, d: path(line.points) }));
    const across = one.y.map(([at]) => drawing("path", { class: "scorebench-grid", d: "M0 " + at + "H1" }));
    const plot = drawing("svg", { viewBox: "0 0 1 1", preserveAspectRatio: "none", role: "img", "aria-label": name },
      ...across, ...lines);
    const tick = (side) => ([at, text]) => {
      const made = element("span", "", text);
      made.style[side] = at * 100 + "%";
      return made;
    };
    const legend = one.lines.map((line, index) => element("li", "", element("i", "scorebench-line-" + index),
      line.name + " ", element("b", "", line.value)));
    return element("figure", "scorebench-chart", element("figcaption", "", one.title),
      element("ul", "", ...legend), element("div", "scorebench-plot",
        element("div", "scorebench-y", ...one.y.map(tick("top"))), plot,
        element("div", "scorebench-x", ...one.x.map(tick("left")))));
  }

  function table(one) {
    const row = (cells, name) => element("tr", "", ...cells.map((cell) => element(name, "", cell)));
    const made = element("table", "", element("caption", "", one.title),
      element("thead", "", row(one.head, "th")), element("tbody", "", ...one.rows.map((cells) => row(cells, "td"))));
    made.querySelectorAll("th").forEach((cell) => cell.setAttribute("scope", "col"));
    const note = one.note ? [element("p", "scorebench-note", one.note)] : [];
    return element("div", "scorebench-scroll", made, ...note);
  }

  function link(file) {
    const made = element("a", "", file.name);
    made.href = new URL(file.href, base).href;
    made.target = "_blank";
    made.rel = "noopener";
    return element("li", "", made);
  }

  function run(one, index) {
    return element("div", "", element("h3", "", (index ? "Earlier run " : "Last run ") + one.name),
      element("ul", "", ...one.files.map(link)));
  }

  /* Drawn anew only where something changed, so that what a reader has marked stays marked. */
  function draw(key, data, make) {
    const said = JSON.stringify(data);
    const before = drawn.get(key);
    if (before && before.said === said) return;
    const node = make(data);
    node.dataset.part = key;
    if (before) before.node.replaceWith(node);
    else panel.append(node);
    drawn.set(key, { said, node });
  }

  function show(state) {
    const board = state.board || { verdicts: [], figures: [], tables: [], account: [] };
    draw("problem", state.problem || state.refused || "", (text) => {
      const made = element("p", "scorebench-problem", text);
      made.setAttribute("role", "alert");
      made.hidden = !text;
      return made;
    });
    if (state.problem) return;
    draw("progress", state.board && { running: board.running, progress: board.progress,
      share_done: board.share_done }, progress);
    draw("runs", state.runs, (runs) => element("nav", "scorebench-runs", ...runs.map(run)));
    draw("verdicts", board.verdicts, (lines) => element("ul", "scorebench-verdicts", ...lines.map(verdict)));
    draw("figures", board.figures, (figures) => element("dl", "scorebench-figures", ...figures.map(figure)));
    draw("charts", board.charts || [], (charts) => element("div", "scorebench-charts", ...charts.map(chart)));
    draw("tables", board.tables, (tables) => element("div", "scorebench-tables", ...tables.map(table)));
    draw("account", board.account, (lines) => element("div", "scorebench-note",
      ...lines.map((line) => element("p", "", line))));
  }

  async function ask() {
    if (panel.hidden || document.hidden || asking) return;
    asking = true;
    try {
      const answer = await fetch(new URL("state", base), { cache: "no-store" });
      const isData = (answer.headers.get("content-type") || "").startsWith("application/json");
      if (isData) show(await answer.json());
      else show({ problem: answer.redirected ? "Logged out: load this page again." : "Locust answered " + answer.status });
    } catch {
      show({ problem: "Locust does not answer; what is shown below is the last that it said." });
    } finally {
      asking = false;
    }
  }

  /* Locust draws its page as it likes: look for our tab whenever it did, and follow whether it is chosen. */
  function place() {
    const own = document.getElementById("scorebench-own");
    const list = document.querySelector('[role="tablist"]');
    const tabs = list ? [...list.querySelectorAll('[role="tab"]')] : [];
    const tab = tabs.find((one) => one.textContent.trim() === TITLE);
    const chosen = tab && tab.getAttribute("aria-selected") === "true";
    const home = own || (chosen && (list.closest(".MuiContainer-root") || list.parentElement.parentElement));
    if (home && panel.parentElement !== home) home.append(panel);
    if (panel.hidden !== !home) {
      panel.hidden = !home;
      ask();
    }
  }

  const style = element("link");
  style.rel = "stylesheet";
  style.href = new URL("tab.css", base).href;
  document.head.append(style);
  new MutationObserver(place).observe(document.body,
    { childList: true, subtree: true, attributes: true, attributeFilter: ["aria-selected"] });
  setInterval(ask, 1000);
  place();
})();
