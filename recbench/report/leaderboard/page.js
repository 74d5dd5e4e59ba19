
"use strict";
const field = (id) => document.getElementById(id);
const rows = [...document.querySelectorAll("tbody tr")];

function filter() {
  const wanted = field("search").value.trim().toLowerCase();
  const source = field("source").value;
  const most = Number(field("bytes").value || Infinity);
  let shown = 0;
  for (const row of rows) {
    const { others, bytes, forgets } = row.dataset;
    const fits = row.textContent.toLowerCase().includes(wanted)
      && (!source || (others !== "" && (others === "True") === (source === "all")))
      && (most === Infinity || Number(bytes) <= most)  // NaN is not known, and fits no limit
      && (!field("forgets").checked || forgets === "True");
    row.hidden = !fits;
    shown += fits;
  }
  for (const section of document.querySelectorAll("section")) {
    section.hidden = !section.querySelector("tbody tr:not([hidden])");
  }
  field("count").textContent = `${shown} of ${rows.length} rows`;
}

function sort(head) {
  const table = head.closest("table");
  const column = [...head.parentNode.children].indexOf(head);
  const down = head.getAttribute("aria-sort") === "ascending";
  for (const other of head.parentNode.children) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", down ? "descending" : "ascending");
  const value = (row) => {
    const cell = row.children[column];
    if (cell.dataset.number === undefined) return cell.textContent;
    return Number(cell.dataset.number);
  };
  const body = table.tBodies[0];
  const ordered = [...body.rows].sort((one, other) => {
    const [a, b] = [value(one), value(other)];
    if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) - Number.isNaN(b);
    const order = typeof a === "number" ? a - b : a.localeCompare(b);
    return down ? -order : order;
  });
  body.append(...ordered);
}

for (const event of ["input", "change"]) {  // not every browser tells of a choice by the first
  document.querySelector("form").addEventListener(event, filter);
}
document.querySelector("form").addEventListener("submit", (event) => event.preventDefault());
for (const head of document.querySelectorAll("th")) {
  head.querySelector("button").addEventListener("click", () => sort(head));
}
filter();
