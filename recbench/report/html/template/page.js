// Switches, legends, and when to draw.

const figures = [...document.querySelectorAll("figure[data-chart]")];
const tables = [...document.querySelectorAll("details.table")];
for (const one of figures) {
  DATA.figures[one.dataset.chart].rows ??= DATA.tables[one.closest("section").id].rows;
}

// The library is packed: this unpacks it, and the page's policy lets run what has its hash.
async function unpack(packed) {
  const bytes = Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).text();
}

function drawLegends() {
  for (const legend of document.querySelectorAll(".legend")) {
    const { chart } = legend.closest("section").querySelector("figure").dataset;
    const models = new Set(DATA.figures[chart].rows.map((row) => row.model));
    const chips = [...LOOKS.keys()].filter((name) => models.has(name)).map((name) => {
      const chip = element("button", name, { type: "button", "aria-pressed": String(!state.hidden.has(name)), "data-model": name });
      chip.prepend(glyph(LOOKS.get(name)));
      return chip;
    });
    const focused = legend.contains(document.activeElement) ? document.activeElement.dataset.model : null;
    legend.replaceChildren(...chips);
    if (focused) chips.find((chip) => chip.dataset.model === focused)?.focus();
  }
  const all = document.querySelector("[data-show=all]");
  all.hidden = LOOKS.size < 2;
  all.disabled = !state.hidden.size;
  all.textContent = state.hidden.size ? `${LOOKS.size - state.hidden.size} of ${LOOKS.size} recommenders: show all` : `all ${LOOKS.size} recommenders shown`;
}

function referencesOf(role) {
  const rows = DATA.tables.differences.rows.filter((row) => row.reference_role === role);
  return [...new Set(rows.map((row) => row.reference))].join(", ");
}

function draw() {
  drawLegends();
  const texts = { score: () => DATA.scores[state.score], cell: () => state.cell, role: () => `beside ${referencesOf(state.role)}` };
  for (const line of document.querySelectorAll(".chosen")) {
    const { follows } = DATA.tables[line.closest("section").id];
    line.textContent = ["score", "cell", "role"].filter((name) => follows.includes(name)).map((name) => texts[name]()).join(" · ");
  }
  tables.forEach(drawTable);
  if (window.Plotly) figures.forEach(drawFigure);
}

function change(part) {
  Object.assign(state, part);
  draw();
}

// A select for what sections follow, where there is a choice.
function addSwitches() {
  const used = Object.values(DATA.tables).flatMap((one) => one.follows);
  const bar = document.getElementById("switches");
  for (const [name, label, values, text] of [
    ["cell", "cell", DATA.cells, (cell) => cell],
    ["score", "score", Object.keys(DATA.scores), (score) => DATA.scores[score]],
    ["role", "against", DATA.roles, (role) => `${referencesOf(role)} (${role})`],
  ]) {
    if (values.length < 2 || !used.includes(name)) continue;
    const made = element("label", `${label} `, { "data-switch": name });
    const select = element("select");
    select.append(...values.map((value) => element("option", text(value), { value })));
    select.value = state[name];
    select.addEventListener("change", () => change({ [name]: select.value }));
    made.append(select);
    bar.insertBefore(made, bar.querySelector("[data-show=all]"));
  }
  bar.hidden = !LOOKS.size;
}

async function start() {
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  addSwitches();
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-show=all]")) change({ hidden: new Set() });
    const chip = event.target.closest(".legend button");
    if (!chip) return;
    const hidden = new Set(state.hidden);
    if (!hidden.delete(chip.dataset.model)) hidden.add(chip.dataset.model);
    change({ hidden });
  });
  for (const details of tables) {
    details.addEventListener("toggle", () => drawTable(details));
    const csv = csvOf(DATA.tables[details.dataset.table]);
    details.querySelector("a[download]").href = `data:text/csv;charset=utf-8,${encodeURIComponent(csv)}`;
  }
  draw();
  document.head.append(element("script", await unpack(document.getElementById("library").textContent)));
  draw();
  document.documentElement.dataset.drawn = "yes";
  let width = innerWidth;
  addEventListener("resize", () => {
    if (innerWidth !== width) draw();
    width = innerWidth;
  });
}

start();
