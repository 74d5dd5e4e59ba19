// What all charts share: frames, hover texts, and the height of a list of recommenders.

const CHARTS = {};
const LINE_HEIGHT = 26;
let printing = false;

function isNarrow() {
  return !printing && innerWidth < 600;
}

function inLines(text, most) {
  const lines = [""];
  for (const word of text.split(" ")) {
    if (lines[lines.length - 1].length + word.length > most) lines.push("");
    lines[lines.length - 1] += `${word} `;
  }
  return lines.map((line) => line.trim()).filter(Boolean).join("<br>");
}

function frame(extra) {
  const ink = printing ? "#000000" : css("--ink");
  const line = printing ? "#cccccc" : css("--line");
  const axis = { gridcolor: line, zerolinecolor: line, linecolor: line, automargin: true, zeroline: false };
  const title = (text) => ({ text: isNarrow() ? inLines(text, 40) : text, standoff: 8, font: { size: 12 } });
  return {
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: "system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif", size: 12, color: ink },
    margin: { l: 8, r: 12, t: 12, b: 8 },
    showlegend: false,
    hovermode: "closest",
    dragmode: matchMedia("(pointer: fine)").matches ? "zoom" : false,
    hoverlabel: { bgcolor: printing ? "#ffffff" : css("--raised"), bordercolor: line, font: { color: ink, size: 12 } },
    height: 400,
    ...extra,
    xaxis: { ...axis, ...extra.xaxis, title: title((extra.xaxis || {}).title || "") },
    yaxis: { ...axis, ...extra.yaxis, title: title((extra.yaxis || {}).title || "") },
  };
}

function hover(lines) {
  return { hovertext: lines, hovertemplate: "%{hovertext}<extra></extra>" };
}

// Recommenders from top to bottom, one line each.
function listed(names) {
  return {
    tickvals: names.map((_, at) => at),
    ticktext: names.map((name) => plain(name.length > 34 ? `${name.slice(0, 33)}…` : name)),
    range: [names.length - 0.4, -0.6],
    showgrid: false,
  };
}

function listHeight(names) {
  return 70 + LINE_HEIGHT * names.length;
}

function upright(x, colour = css("--muted")) {
  return { type: "line", x0: x, x1: x, yref: "paper", y0: 0, y1: 1, line: { color: colour, width: 1 } };
}

function level(y, colour = css("--muted")) {
  return { type: "line", xref: "paper", x0: 0, x1: 1, y0: y, y1: y, line: { color: colour, width: 1 } };
}

function band(model, x, low, high, ofMany) {
  return {
    x: [...x, ...[...x].reverse()],
    y: [...high, ...[...low].reverse()],
    fill: "toself",
    fillcolor: withAlpha(colourOf(model), ofMany > 6 ? 0.08 : 0.15),
    line: { width: 0 },
    mode: "lines",
    hoverinfo: "skip",
  };
}

function byModel(rows) {
  const groups = new Map();
  for (const row of rows) {
    if (!groups.has(row.model)) groups.set(row.model, []);
    groups.get(row.model).push(row);
  }
  return groups;
}
