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
const sorting = new Map(); // table -> [column, direction]
const FOLLOWED = { cell: "cell", score: "score", role: "reference_role" }; // what rows have of it
const UNREAD = /^_|_(mark|best)$|^(num_users|reviews_per_user)$/; // columns that are for figures, other columns, the CSV

function isNumber(value) {
  return typeof value === "number" && Number.isFinite(value);
}

function shown(value) {
  if (value === null || value === undefined) return "";
  if (!isNumber(value)) return String(value);
  const size = Math.abs(value);
  if (Number.isInteger(value) || size >= 100) return Math.round(value).toLocaleString("en-US");
  return size < 0.0005 ? value.toExponential(1) : value.toFixed(3);
}

// The rows that the switches choose.
function followed(follows, rows) {
  const tests = follows.map((name) => (row) => !(FOLLOWED[name] in row) || row[FOLLOWED[name]] === state[name]);
  return rows.filter((row) => tests.every((test) => test(row)));
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

// But for columns in which the switches leave one value; marks stand after their values.
function drawTable(details) {
  const { rows: all, follows } = DATA.tables[details.dataset.table];
  const rows = followed(follows, all);
  details.querySelector(".count").textContent = rows.length === all.length ? `rows: ${all.length}` : `${rows.length} of ${all.length} rows, as chosen above; the CSV has all`;
  if (!details.open) return;
  const [by, direction] = sorting.get(all) || [];
  if (by) rows.sort((a, b) => compare(a[by], b[by], direction));
  const chosen = follows.map((one) => FOLLOWED[one]);
  const names = Object.keys(all[0]).filter((name) => !UNREAD.test(name) && !chosen.includes(name));
  const kinds = names.map((name) => (all.some((row) => typeof row[name] === "string" && row[name] !== "failed") ? "text" : ""));
  const table = element("table");
  const head = table.createTHead().insertRow();
  names.forEach((name, at) => {
    const th = element("th", undefined, { scope: "col", class: kinds[at] });
    if (name === by) th.setAttribute("aria-sort", direction > 0 ? "ascending" : "descending");
    const button = element("button", name === "model" ? "recommender" : name.replaceAll("_", " "), { type: "button" });
    button.addEventListener("click", () => {
      sorting.set(all, [name, name === by ? -direction : 1]);
      drawTable(details);
      details.querySelectorAll("th button")[at].focus();
    });
    th.append(button);
    head.append(th);
  });
  const body = table.createTBody();
  for (const row of rows) {
    const line = body.insertRow();
    names.forEach((name, at) => {
      const mark = `${name}_mark` in row && row[name] !== null ? row[`${name}_mark`] || "\u2007" : "";
      const text = shown(row[name]) + mark;
      const td = element("td", text, { class: [kinds[at], text.length > 60 && "long", row[`${name}_best`] && "best"].filter(Boolean).join(" ") });
      if (name === "model" && LOOKS.has(row.model)) td.prepend(glyph(LOOKS.get(row.model)));
      line.append(td);
    });
  }
  details.querySelector(".scroll").replaceChildren(table);
}

function csvOf({ rows }) {
  const names = Object.keys(rows[0]).filter((name) => !name.startsWith("_"));
  const field = (value) => {
    const text = value === null || value === undefined ? "" : String(value);
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const lines = rows.map((row) => names.map((name) => field(row[name])).join(","));
  return `${[names.map(field).join(","), ...lines].join("\n")}\n`;
}
