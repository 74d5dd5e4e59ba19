// Switches, legends, and when to draw.

const figures = [...document.querySelectorAll("figure[data-chart]")];
const tables = [...document.querySelectorAll("details.table")];
for (const one of figures) {
  const figure = DATA.figures[one.dataset.chart];
  figure.rows = figure.columns ? rowsOf(figure.columns) : DATA.sections[one.closest("section").id].rows;
}

// The library is packed: this unpacks it, and the page's policy lets run what has its hash.
async function unpack(packed) {
  const bytes = Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).text();
}

function drawLegends() {
  for (const legend of document.querySelectorAll(".legend")) {
    const drawn = [...legend.closest("section").querySelectorAll("figure")].flatMap((one) => DATA.figures[one.dataset.chart].rows);
    const models = new Set(drawn.map((row) => row.model));
    const chips = [...LOOKS.keys()].filter((name) => models.has(name)).map((name) => {
      const chip = element("button", name, { type: "button", "aria-pressed": String(!state.hidden.has(name)), "data-model": name });
      chip.prepend(glyph(name));
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
  const rows = DATA.sections.differences.rows.filter((row) => row.reference_role === role);
  return [...new Set(rows.map((row) => row.reference))].join(", ");
}

function draw() {
  drawLegends();
  const texts = { score: () => DATA.scores[state.score], cell: () => state.cell, role: () => `beside ${referencesOf(state.role)}` };
  for (const line of document.querySelectorAll(".chosen")) { // seen on paper, too
    const { follows } = DATA.sections[line.closest("section").id];
    line.textContent = ["score", "cell", "role"].filter((name) => follows.includes(name)).map((name) => texts[name]()).join(" · ");
  }
  tables.forEach(drawTable);
  if (window.Plotly) figures.forEach(drawFigure);
}

function change(part) {
  Object.assign(state, part);
  draw();
}

// A select in the bar: its label, the text of each value, and what a choice does.
function addSwitch(name, label, texts, value, act) {
  const made = element("label", `${label} `, { "data-switch": name });
  const select = element("select");
  texts.forEach((text, at) => select.append(element("option", text, { value: value(at) })));
  select.addEventListener("change", () => act(select.selectedIndex, select.value));
  made.append(select);
  document.getElementById("switches").insertBefore(made, document.querySelector("[data-show=all]"));
  return select;
}

function addSwitches() {
  const scores = Object.keys(DATA.scores);
  const followed = new Set([...Object.values(DATA.sections), ...Object.values(DATA.figures)].flatMap((one) => one.follows));
  for (const [name, label, values, texts] of [
    ["cell", "cell", DATA.cells, DATA.cells],
    ["score", "score", scores, Object.values(DATA.scores)],
    ["role", "against", DATA.roles, followed.has("role") ? DATA.roles.map((role) => `${referencesOf(role)} (${role})`) : []],
  ]) {
    if (values.length < 2 || !followed.has(name)) continue;
    addSwitch(name, label, texts, (at) => values[at], (_, value) => change({ [name]: value })).value = state[name];
  }
  for (const [name, options] of Object.entries(DATA.filters)) {
    addSwitch(name, name, ["any", ...options.map(([text]) => text)], (at) => at, (at) => {
      const { [name]: _, ...others } = state.filters;
      change({ filters: at ? { ...others, [name]: options[at - 1][1] } : others });
    });
  }
  document.getElementById("search")?.addEventListener("input", (event) => change({ search: event.target.value.trim().toLowerCase() }));
  document.getElementById("switches").hidden = !LOOKS.size && !Object.keys(DATA.filters).length;
}

// On paper figures are light and as wide as a page.
function printed(on) {
  if (on) document.documentElement.dataset.theme = "light";
  else delete document.documentElement.dataset.theme;
  printing = on;
  draw();
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
    const csv = csvOf(DATA.sections[details.dataset.section]);
    details.querySelector("a[download]").href = `data:text/csv;charset=utf-8,${encodeURIComponent(csv)}`;
  }
  draw();
  const library = document.getElementById("library").textContent;
  if (library && !("DecompressionStream" in window)) {
    for (const figure of figures) figure.textContent = "Figures need a newer browser; they are in the folder plots.";
    return;
  }
  if (library) document.head.append(element("script", await unpack(library)));
  draw();
  document.documentElement.dataset.drawn = "yes";
  let width = innerWidth;
  addEventListener("resize", () => {
    if (innerWidth !== width && !printing) draw();
    width = innerWidth;
  });
  addEventListener("beforeprint", () => printed(true));
  addEventListener("afterprint", () => printed(false));
}

start();
