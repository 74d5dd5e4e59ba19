"use strict";
// What the page holds and what of it is chosen; tables, sorted by any column, all rows as CSV.

const DATA = JSON.parse(document.getElementById("data").textContent);
const LOOKS = new Map(DATA.models.map((look) => [look.name, look]));
const state = {
  cell: DATA.cells[DATA.cells.length - 1],
  score: Object.keys(DATA.scores)[0],
  role: DATA.roles[0],
  hidden: new Set([...LOOKS.keys()].filter((name) => !DATA.shown.includes(name))),
};
const sorting = new Map(); // section -> [column, direction]
const FOLLOWED = { cell: "cell", score: "score", role: "reference_role" }; // what rows have of it
const UNREAD = { cell: "num_users", score: "score", role: "reference_role" }; // as it stands above

function isNumber(value) {
  return typeof value === "number" && Number.isFinite(value);
}

function shown(value) {
  if (value === null || value === undefined) return "";
  if (!isNumber(value)) return String(value);
  const size = Math.abs(value);
  if (Number.isInteger(value)) return value.toLocaleString("en-US");
  if (size >= 1000) return Math.round(value).toLocaleString("en-US");
  if (size >= 100) return value.toFixed(0);
  return size < 0.0005 ? value.toExponential(1) : value.toFixed(3);
}

function cellName(row) {
  return `${row.num_users || "all"} × ${row.reviews_per_user || "all"}`;
}

// With the name of its cell, where a row has one.
function rowsOf(columns) {
  const names = Object.keys(columns);
  const length = names.length ? columns[names[0]].length : 0;
  const rows = Array.from({ length }, (_, at) => Object.fromEntries(names.map((name) => [name, columns[name][at]])));
  return columns.num_users ? rows.map((row) => ({ ...row, cell: cellName(row) })) : rows;
}

for (const table of Object.values(DATA.tables)) table.rows = rowsOf(table.columns);

// The rows that the switches choose.
function followed(follows, rows) {
  const tests = follows.map((name) => (row) => !(FOLLOWED[name] in row) || row[FOLLOWED[name]] === state[name]);
  return rows.filter((row) => tests.every((test) => test(row)));
}

// The columns to be read: users and ratings are one, and marks stand after their values.
function headsOf({ columns, follows }) {
  const chosen = follows.map((name) => UNREAD[name]);
  return Object.keys(columns)
    .filter((name) => !/^_|_(mark|best)$/.test(name) && name !== "reviews_per_user" && !chosen.includes(name))
    .map((name) => {
      const words = columns[name].some((value) => typeof value === "string" && value !== "failed");
      const text = (row) => shown(row[name]) + (`${name}_mark` in columns && row[name] !== null ? row[`${name}_mark`] || "\u2007" : "");
      return name === "num_users" && columns.reviews_per_user
        ? { name, head: "cell", words: true, value: cellName, text: cellName }
        : { name, head: name === "model" ? "recommender" : name.replaceAll("_", " "), words, value: (row) => row[name], text, best: (row) => row[`${name}_best`] };
    });
}

// Empty values last, whichever way it is sorted.
function compare(a, b, direction) {
  const [none, other] = [a === null || a === undefined, b === null || b === undefined];
  if (none || other) return Number(none) - Number(other);
  return direction * (isNumber(a) && isNumber(b) ? a - b : String(a).localeCompare(String(b), "en", { numeric: true }));
}

function element(name, text, attributes = {}) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

function glyph(look) {
  const made = element("span", `${look.glyph} `, { "aria-hidden": "true" });
  made.style.color = colourOf(look);
  return made;
}

function drawTable(details) {
  const section = DATA.tables[details.dataset.table];
  const all = section.rows;
  const rows = followed(section.follows, all);
  details.querySelector(".count").textContent = rows.length === all.length ? `rows: ${all.length}` : `${rows.length} of ${all.length} rows, as chosen above; the CSV has all`;
  if (!details.open) return;
  const heads = headsOf(section);
  const [by, direction] = sorting.get(section) || ["", 1];
  const key = heads.find((one) => one.name === by);
  if (key) rows.sort((a, b) => compare(key.value(a), key.value(b), direction));
  const table = element("table");
  const head = table.createTHead().insertRow();
  for (const one of heads) {
    const th = element("th", undefined, { scope: "col", class: one.words ? "text" : "" });
    if (one === key) th.setAttribute("aria-sort", direction > 0 ? "ascending" : "descending");
    const button = element("button", one.head, { type: "button" });
    button.addEventListener("click", () => {
      sorting.set(section, [one.name, one === key ? -direction : 1]);
      drawTable(details);
      details.querySelectorAll("th button")[heads.indexOf(one)].focus();
    });
    th.append(button);
    head.append(th);
  }
  const body = table.createTBody();
  for (const row of rows) {
    const line = body.insertRow();
    for (const one of heads) {
      const text = one.text(row);
      const kinds = [one.words && "text", text.length > 60 && "long", one.best && one.best(row) && "best"];
      const td = element("td", text, { class: kinds.filter(Boolean).join(" ") });
      if (one.name === "model" && LOOKS.has(row.model)) td.prepend(glyph(LOOKS.get(row.model)));
      line.append(td);
    }
  }
  details.querySelector(".scroll").replaceChildren(table);
}

function csvOf({ columns, rows }) {
  const names = Object.keys(columns).filter((name) => !name.startsWith("_"));
  const field = (value) => {
    const text = value === null || value === undefined ? "" : String(value);
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const lines = rows.map((row) => names.map((name) => field(row[name])).join(","));
  return `${[names.map(field).join(","), ...lines].join("\n")}\n`;
}
