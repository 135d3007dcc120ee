"use strict";
// Everything here is an addition: the page is whole without it.

const all = (selector, root = document) => [...root.querySelectorAll(selector)];

// --- Sorting: a button in each header cell, aria-sort on the cell, empty values always last.
const key = (row, index) => {
  const cell = row.cells[index];
  const text = (cell.dataset.sort ?? cell.textContent).trim();
  const value = Number(text);
  return text === "" || Number.isNaN(value) ? text : value;
};

const order = (a, b) => (typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b)));

const sortBy = (table, header) => {
  const up = header.getAttribute("aria-sort") !== "ascending";
  all("th[aria-sort]", table).forEach((other) => other.removeAttribute("aria-sort"));
  header.setAttribute("aria-sort", up ? "ascending" : "descending");
  const body = table.tBodies[0];
  const rows = [...body.rows].map((row) => ({ row, value: key(row, header.cellIndex) }));
  rows.sort((a, b) => {
    if (a.value === "" || b.value === "") return (a.value === "") - (b.value === "");
    return up ? order(a.value, b.value) : order(b.value, a.value);
  });
  body.append(...rows.map((item) => item.row));
};

for (const table of all("table.sortable")) {
  for (const header of table.tHead.rows[0].cells) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...header.childNodes);
    header.append(button);
    button.addEventListener("click", () => sortBy(table, header));
  }
}

// --- Charts: the standing drawing is replaced by one with hover when it comes into view.
const specs = JSON.parse(document.getElementById("specs").textContent);
const views = new Map();

const mount = async (element) => {
  const spec = specs[element.dataset.chart];
  if (!spec || views.has(element) || typeof vegaEmbed === "undefined") return;
  views.set(element, null);
  const holder = document.createElement("div");
  try {
    // Only errors are logged: a filter may well leave a chart empty.
    const options = { renderer: "svg", actions: false, ast: true, logLevel: 1, tooltip: { theme: "custom" } };
    const { view } = await vegaEmbed(holder, spec, options);
    views.set(element, view);
    await applyTo(element, view);
    element.replaceChildren(holder);
  } catch (error) {
    views.delete(element); // the standing drawing stays
    console.warn(`chart ${element.dataset.chart}: ${error.message}`);
  }
};

const watcher = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    if (!entry.isIntersecting) continue;
    watcher.unobserve(entry.target);
    mount(entry.target);
  }
}, { rootMargin: "300px" });
all("[data-chart]").forEach((element) => watcher.observe(element));

// --- Filters: one place for the whole page, kept in the address so that a view can be shared.
const form = document.querySelector(".filters");
const boxes = (name) => all(`input[name="${name}"]`, form);
const off = (name) => new Set(boxes(name).filter((box) => !box.checked).map((box) => box.value));

const applyTo = async (element, view) => {
  const spec = specs[element.dataset.chart];
  const without = { engines: off("engine"), tracks: off("track") };
  for (const param of spec.params) view.signal(param.name, param.value.filter((value) => !without[param.name].has(value)));
  await view.runAsync();
};

const filter = async () => {
  const engines = off("engine");
  const tracks = off("track");
  for (const element of all("[data-engine], [data-track]")) {
    element.hidden = engines.has(element.dataset.engine) || tracks.has(element.dataset.track);
  }
  if (engines.size + tracks.size > 0) await Promise.all(all("[data-chart]").map(mount));
  await Promise.all([...views].filter(([, view]) => view).map(([element, view]) => applyTo(element, view)));
};

const remember = () => {
  const query = new URLSearchParams();
  for (const name of ["engine", "track"]) if (off(name).size) query.set(`without-${name}`, [...off(name)].join(","));
  try {
    history.replaceState(null, "", `${location.pathname}${query.size ? `?${query}` : ""}${location.hash}`);
  } catch { /* some hosts forbid it; the filter works all the same */ }
};

const recall = () => {
  const query = new URLSearchParams(location.search);
  for (const name of ["engine", "track"]) {
    const without = (query.get(`without-${name}`) ?? "").split(",");
    for (const box of boxes(name)) box.checked = !without.includes(box.value);
  }
};

form.hidden = false;
recall();
filter();
form.addEventListener("change", () => { remember(); filter(); });

// --- The heat map: only the scenarios in which an engine did otherwise than its documentation says.
const differing = document.getElementById("differing");
if (differing) {
  differing.hidden = false;
  differing.addEventListener("click", () => {
    const only = differing.getAttribute("aria-pressed") !== "true";
    differing.setAttribute("aria-pressed", String(only));
    for (const table of all(".heatmap")) table.classList.toggle("only", only);
  });
}

// --- A button opens what is folded, also for print; a link to something folded opens it.
const opener = document.getElementById("open-all");
opener.addEventListener("click", () => {
  const open = opener.getAttribute("aria-pressed") !== "true";
  opener.setAttribute("aria-pressed", String(open));
  all("details").forEach((item) => { item.open = open; });
});
const reveal = () => {
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  for (let item = target && target.closest("details"); item; item = item.parentElement.closest("details")) item.open = true;
};
addEventListener("hashchange", reveal);
reveal();
