// Tables: the rows that the pictures show, sorted by any column; all rows as CSV.

const sorting = new Map(); // section -> [column, direction]

function element(name, text, attributes = {}) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

// Columns as [head, value of a row, text of a row]
function plainColumns(section) {
  const names = Object.keys(DATA.sections[section].columns);
  const columns = [];
  for (const name of names) {
    if (name === "num_users" && names.includes("reviews_per_user")) {
      columns.push({ head: "cell", value: (row) => (row.num_users || 1e9) * 1e6 + (row.reviews_per_user || 1e5), text: cellName, words: true });
    } else if (name !== "reviews_per_user") {
      const words = DATA.sections[section].columns[name].some((value) => typeof value === "string");
      columns.push({ head: name.replaceAll("_", " "), value: (row) => row[name], text: (row) => shown(row[name]), words, model: name === "model" });
    }
  }
  return columns;
}

// One line for each recommender, a column for each cell; + - as in the terminal.
function matrix(section) {
  const rows = chosenRows(section);
  const score = scoreNow();
  const cells = DATA.cells.filter((cell) => rows.some((row) => cellKey(row) === cell.key));
  const marks = new Map();
  for (const row of DATA.sections.differences ? rowsOf("differences") : []) {
    if (row.score === state.score && row.reference_role === DATA.roles[0] && isSignificant(row)) {
      marks.set(`${cellKey(row)} ${row.model}`, row.difference > 0 === score.more ? " +" : " −");
    }
  }
  const lines = [...byModel(rows)].map(([model, own]) => {
    const line = { model };
    for (const row of own) line[cellKey(row)] = row;
    return line;
  });
  const best = new Map(
    cells.map((cell) => {
      const means = lines.map((line) => (line[cell.key] || {}).mean).filter(isNumber);
      return [cell.key, score.more ? Math.max(...means) : Math.min(...means)];
    }),
  );
  const columns = cells.map((cell) => ({
    head: cell.name,
    value: (line) => (line[cell.key] || {}).mean,
    best: (line) => (line[cell.key] || {}).mean === best.get(cell.key),
    text: (line) => (line[cell.key] ? shown(line[cell.key].mean) + (marks.get(`${cell.key} ${line.model}`) || "") : "failed"),
  }));
  return { lines, columns: [{ head: "recommender", value: (line) => line.model, text: (line) => line.model, words: true, model: true }, ...columns] };
}

function drawTable(details) {
  if (!details.open) return;
  const section = details.dataset.section;
  const isMatrix = DATA.sections[section].shown === "matrix";
  const { lines, columns } = isMatrix ? matrix(section) : { lines: chosenRows(section), columns: plainColumns(section) };
  const [by, direction] = sorting.get(section) || ["", 1];
  const column = columns.find((one) => one.head === by);
  const sorted = column ? [...lines].sort((a, b) => direction * compare(column.value(a), column.value(b), direction)) : lines;
  const table = element("table");
  const head = table.createTHead().insertRow();
  for (const one of columns) {
    const th = element("th", undefined, { scope: "col", class: one.words ? "text" : "" });
    if (one === column) th.setAttribute("aria-sort", direction > 0 ? "ascending" : "descending");
    const button = element("button", one.head, { type: "button" });
    button.addEventListener("click", () => {
      const again = one.head === (sorting.get(section) || [])[0];
      sorting.set(section, [one.head, again ? -sorting.get(section)[1] : 1]);
      drawTable(details);
    });
    th.append(button);
    head.append(th);
  }
  const body = table.createTBody();
  for (const line of sorted) {
    const tr = body.insertRow();
    for (const one of columns) {
      const text = one.text(line);
      const kind = (one.words ? "text" : "") + (text.length > 60 ? " long" : "") + (one.best && one.best(line) ? " best" : "");
      const td = element("td", text, { class: kind.trim() });
      if (one.model) td.prepend(glyph(text));
      tr.append(td);
    }
  }
  details.querySelector(".scroll").replaceChildren(table);
  const all = rowsOf(section).length;
  const some = isMatrix ? "means over iterations, the best bold; + −: significantly better, worse than the reference (p < .05 after Holm); the CSV has all scores and bands" : lines.length === all ? `${all} ${all === 1 ? "row" : "rows"}` : `${lines.length} of ${all} rows, as chosen above; the CSV has all`;
  details.querySelector(".count").textContent = some;
}

function glyph(model) {
  const look = LOOKS.get(model);
  const made = element("span", look ? `${look.glyph} ` : "", { "aria-hidden": "true" });
  made.style.color = colourOf(model);
  return made;
}

// Empty values last, whichever way it is sorted.
function compare(a, b, direction) {
  const [none, other] = [a === null || a === undefined, b === null || b === undefined];
  if (none || other) return none === other ? 0 : (none ? 1 : -1) * direction;
  return typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), "en", { numeric: true });
}

function csvOf(section) {
  const columns = DATA.sections[section].columns;
  const names = Object.keys(columns);
  const field = (value) => {
    const text = value === null || value === undefined ? "" : String(value);
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const lines = rowsOf(section).map((row) => names.map((name) => field(row[name])).join(","));
  return `${[names.map(field).join(","), ...lines].join("\n")}\n`;
}
