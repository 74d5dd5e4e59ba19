"use strict";
// What the page holds, and what of it is shown.

const DATA = JSON.parse(document.getElementById("data").textContent);
const LOOKS = new Map(DATA.models.map((look) => [look.name, look]));
const ALPHA = 0.05;

const state = {
  cell: DATA.cells.length ? DATA.cells[DATA.cells.length - 1].key : "",
  score: DATA.scores.length ? DATA.scores[0].name : "",
  role: DATA.roles.length ? DATA.roles[0] : "",
  hidden: new Set(DATA.models.map((look) => look.name).filter((name) => !DATA.shown.includes(name))),
};

// Tables come by column; charts and tables are made of rows.
const rowsKept = new Map();
function rowsOf(section) {
  if (!rowsKept.has(section)) {
    const columns = Object.entries(DATA.sections[section].columns);
    const length = columns.length ? columns[0][1].length : 0;
    rowsKept.set(
      section,
      Array.from({ length }, (_, at) => Object.fromEntries(columns.map(([name, all]) => [name, all[at]]))),
    );
  }
  return rowsKept.get(section);
}

function cellKey(row) {
  return `${row.num_users}x${row.reviews_per_user}`;
}

function cellName(row) {
  return `${row.num_users || "all"} × ${row.reviews_per_user || "all"}`;
}

// The rows that the switches choose.
function chosenRows(section) {
  const follows = DATA.sections[section].follows;
  return rowsOf(section).filter(
    (row) =>
      (!follows.includes("cell") || cellKey(row) === state.cell) &&
      (!follows.includes("score") || row.score === state.score) &&
      (!follows.includes("role") || row.reference_role === state.role),
  );
}

function shownRows(section) {
  return chosenRows(section).filter((row) => !state.hidden.has(row.model));
}

function scoreNow() {
  return DATA.scores.find((score) => score.name === state.score) || { name: "", title: "", more: false };
}
