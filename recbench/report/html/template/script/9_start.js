// Switches, legends, the theme, and drawing.

const figures = [...document.querySelectorAll("figure[data-chart]")];
const tables = [...document.querySelectorAll("details.table")];
const systemDark = matchMedia("(prefers-color-scheme: dark)");

// The library is packed: this unpacks it, and the page's policy lets run what has its hash.
async function unpack(packed) {
  const bytes = Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).text();
}

function drawFigure(figure) {
  const plot = figure.querySelector(".plot");
  const rows = shownRows(figure.dataset.section);
  const drawn = rows.length ? CHARTS[figure.dataset.chart](rows) : { empty: "Nothing to show: the run has no such figure for what is chosen above." };
  if (drawn.empty) {
    Plotly.purge(plot);
    plot.textContent = drawn.empty;
    plot.classList.add("empty");
    return;
  }
  if (plot.classList.contains("empty")) {
    plot.textContent = "";
    plot.classList.remove("empty");
  }
  const layout = frame(drawn.layout);
  layout.width = printing ? PRINTED_WIDTH : plot.clientWidth;
  if (layout.width < 500 && !layout.yaxis.range) layout.height = Math.min(layout.height, 320); // a list needs its lines
  Plotly.react(plot, drawn.traces, layout, { displayModeBar: false });
}

const PRINTED_WIDTH = 680;

function drawLegends() {
  for (const legend of document.querySelectorAll(".legend")) {
    const section = legend.closest("section").id;
    const there = new Set(rowsOf(section).map((row) => row.model));
    const models = DATA.models.map((look) => look.name).filter((name) => there.has(name));
    const chips = models.map((name) => {
      const chip = element("button", name, { type: "button", "aria-pressed": String(!state.hidden.has(name)), "data-model": name });
      chip.prepend(glyph(name));
      return chip;
    });
    const focused = legend.contains(document.activeElement) ? document.activeElement.dataset.model : null;
    legend.replaceChildren(...chips);
    if (focused) chips.find((chip) => chip.dataset.model === focused)?.focus();
  }
  const all = document.querySelector("[data-show=all]");
  const shownNow = DATA.models.length - state.hidden.size;
  all.hidden = DATA.models.length < 2;
  all.textContent = state.hidden.size ? `${shownNow} of ${DATA.models.length} recommenders: show all` : `all ${DATA.models.length} recommenders shown`;
  all.disabled = !state.hidden.size;
}

// Which rows the section shows, so that it is seen on paper too.
function tellChosen() {
  const texts = {
    score: () => scoreNow().title,
    cell: () => (DATA.cells.find((cell) => cell.key === state.cell) || { name: "" }).name,
    role: () => `beside ${referencesOf(state.role)}`,
  };
  for (const line of document.querySelectorAll(".chosen")) {
    const follows = DATA.sections[line.closest("section").id].follows;
    line.textContent = ["score", "cell", "role"].filter((name) => follows.includes(name)).map((name) => texts[name]()).join(" · ");
  }
}

function draw() {
  drawLegends();
  tellChosen();
  tables.forEach(drawTable);
  if (window.Plotly) figures.forEach(drawFigure);
}

function change(part) {
  Object.assign(state, part);
  draw();
}

function makeSwitch(name, options) {
  const label = document.querySelector(`[data-switch=${name}]`);
  const follows = Object.values(DATA.sections).some((section) => section.follows.includes(name));
  label.hidden = options.length < 2 || !(follows || name === "score");
  const select = label.querySelector("select");
  for (const [value, text] of options) select.append(element("option", text, { value }));
  select.value = state[name];
  select.addEventListener("change", () => change({ [name]: select.value }));
}

function referencesOf(role) {
  const rows = rowsOf("differences").filter((row) => row.reference_role === role);
  return [...new Set(rows.map((row) => row.reference))].join(", ");
}

function setTheme(theme) {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  document.querySelector("#theme span").textContent = theme;
}

function keepTheme(theme) {
  try {
    localStorage.setItem("recbench-theme", theme);
  } catch {
    // a file may have no storage; then the choice lasts as long as the page
  }
}

function keptTheme() {
  try {
    return localStorage.getItem("recbench-theme") || "system";
  } catch {
    return "system";
  }
}

function printed(on) {
  printing = on;
  draw();
}

async function start() {
  const themes = ["system", "light", "dark"];
  setTheme(themes.includes(keptTheme()) ? keptTheme() : "system");
  document.getElementById("theme").addEventListener("click", () => {
    const next = themes[(themes.indexOf(document.documentElement.dataset.theme || "system") + 1) % 3];
    setTheme(next);
    keepTheme(next);
    draw();
  });
  systemDark.addEventListener("change", draw);
  makeSwitch("cell", DATA.cells.map((cell) => [cell.key, cell.name]));
  makeSwitch("score", DATA.scores.map((score) => [score.name, score.title]));
  makeSwitch("role", DATA.roles.map((role) => [role, `${referencesOf(role)} (${role})`]));
  document.getElementById("switches").hidden = !DATA.models.length;
  document.querySelector("[data-show=all]").addEventListener("click", () => change({ hidden: new Set() }));
  document.addEventListener("click", (event) => {
    const chip = event.target.closest(".legend button");
    if (!chip) return;
    const hidden = new Set(state.hidden);
    if (!hidden.delete(chip.dataset.model)) hidden.add(chip.dataset.model);
    change({ hidden });
  });
  for (const details of tables) {
    details.addEventListener("toggle", () => drawTable(details));
    const link = details.querySelector("a[download]");
    link.href = `data:text/csv;charset=utf-8,${encodeURIComponent(csvOf(details.dataset.section))}`;
  }
  draw();
  if (!("DecompressionStream" in window)) {
    for (const figure of figures) figure.textContent = "Pictures need a newer browser; they are in the folder plots.";
    return;
  }
  const library = document.createElement("script");
  library.textContent = await unpack(document.getElementById("library").textContent);
  document.head.append(library);
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
