// Figures as recbench/report/figure.py describes them, drawn by plotly.js.

const PRINTED_WIDTH = 680;
let printing = false;

function css(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function isNarrow() {
  return !printing && innerWidth < 600;
}

function isDark() {
  const theme = document.documentElement.dataset.theme;
  if (printing) return false;
  return theme ? theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

function colourOf(model) {
  const look = LOOKS.get(model);
  return look ? (isDark() ? look.dark : look.light) : css("--muted");
}

function faint(colour, alpha) {
  const part = (at) => parseInt(colour.slice(at, at + 2), 16);
  return /^#[0-9a-f]{6}$/i.test(colour) ? `rgba(${part(1)},${part(3)},${part(5)},${alpha})` : colour;
}

// Plotly reads some HTML in its texts; names are to be shown as they are.
function plain(text) {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
}

function band(one, ofMany) {
  const there = one.x.map((x, at) => [x, one.low[at], one.high[at]]).filter((ends) => ends.every(isNumber));
  const back = [...there].reverse();
  return {
    x: [...there, ...back].map(([x]) => x),
    y: [...there.map(([, , high]) => high), ...back.map(([, low]) => low)],
    fill: "toself", fillcolor: faint(colourOf(one.model), ofMany > 6 ? 0.08 : 0.15),
    line: { width: 0 }, mode: "lines", hoverinfo: "skip",
  };
}

function errorBars(one, values) {
  const away = (ends, sign) => ends.map((end, at) => (isNumber(end) ? sign * (end - values[at]) : 0));
  return { type: "data", symmetric: false, array: away(one.high, 1), arrayminus: away(one.low, -1), color: colourOf(one.model), thickness: 2, width: 0 };
}

function box(one, row) {
  const [p5, p25, p50, p75, p95] = one.x.map((value) => [value]);
  return {
    type: "box", orientation: "h", y: [row], width: 0.6, hoverinfo: "x",
    lowerfence: p5, q1: p25, median: p50, q3: p75, upperfence: p95,
    line: { color: colourOf(one.model), width: 1.5 }, fillcolor: faint(colourOf(one.model), 0.2),
  };
}

// Names stay within the frame: those on the right are written to the left.
function labels(series, ofFront, log) {
  const at = (one) => (log ? Math.log10(one.x[0]) : one.x[0]);
  const all = series.map(at);
  const [low, width] = [Math.min(...all), Math.max(...all) - Math.min(...all) || 1];
  return series.map((one) => {
    const part = (at(one) - low) / width;
    const textposition = part > 0.7 ? "top left" : part < 0.3 ? "top right" : "top center";
    const named = !ofFront || ofFront.includes(one);
    return { text: [plain(one.model)], mode: named ? "markers+text" : "markers", textposition, textfont: { size: 11 }, cliponaxis: false };
  });
}

function tracesOf(panel, series, names) {
  const isList = panel.kind === "list";
  const front = [];
  for (const one of panel.front ? [...series].sort((a, b) => a.x[0] - b.x[0] || a.y[0] - b.y[0]) : []) {
    if (!front.length || one.y[0] < front[front.length - 1].y[0]) front.push(one);
  }
  const muted = { mode: "lines", hoverinfo: "skip", line: { color: css("--muted"), width: 1, dash: "dot", shape: "hv" } };
  const below = [];
  if (panel.diagonal) below.push({ ...muted, x: panel.diagonal, y: panel.diagonal, line: { ...muted.line, shape: "linear" } });
  if (panel.front) below.push({ ...muted, x: front.map((one) => one.x[0]), y: front.map((one) => one.y[0]) });
  if (panel.kind === "lines") below.push(...series.filter((one) => one.low).map((one) => band(one, names.length)));
  const texts = panel.kind === "points" ? labels(series, panel.front && front, panel.x.log) : [];
  const drawn = series.map((one, at) => {
    const row = names.indexOf(one.model);
    if (panel.kind === "boxes") return box(one, row);
    const aside = panel.kind === "bars" && names.length > 1 ? 0.5 * (row / (names.length - 1) - 0.5) : 0;
    const look = LOOKS.get(one.model);
    const open = one.open ?? look.open;
    const colour = colourOf(one.model);
    const trace = {
      x: one.x.map((x) => x + aside),
      y: one.y.map((y) => (isList ? y + row : y)),
      mode: isList ? "markers" : "lines+markers",
      line: { color: panel.kind === "bars" ? faint(colour, 0.45) : colour, width: 2, dash: look.dash },
      marker: { color: colour, symbol: look.symbol + (open ? "-open" : ""), size: 9, line: { width: open ? 2 : 0, color: colour } },
      hovertext: one.hover,
      hovertemplate: "%{hovertext}<extra></extra>",
      ...texts[at],
    };
    if (one.low && panel.kind !== "lines") trace[isList ? "error_x" : "error_y"] = errorBars(one, isList ? one.x : one.y);
    return trace;
  });
  return [...below, ...drawn];
}

// Of ticks in the order of importance those that do not crowd.
function thinned(ticks, values, most) {
  const width = Math.max(...values) - Math.min(...values) || 1;
  const kept = [];
  for (const tick of ticks) {
    if (kept.every(([at]) => Math.abs(at - tick[0]) > width / most)) kept.push(tick);
  }
  return { tickvals: kept.map(([at]) => at), ticktext: kept.map(([, text]) => plain(text)) };
}

function inLines(text, most) {
  const lines = [""];
  for (const word of text.split(" ")) {
    if (lines[lines.length - 1].length + word.length > most) lines.push("");
    lines[lines.length - 1] += `${word} `;
  }
  return lines.map((line) => line.trim()).filter(Boolean).join("<br>");
}

function axisOf(axis, values) {
  const line = printing ? "#cccccc" : css("--line");
  const many = isNarrow() ? 5 : 12;
  return {
    gridcolor: line, zerolinecolor: line, linecolor: line, automargin: true, zeroline: false,
    title: { text: isNarrow() ? inLines(axis.title, 40) : axis.title, standoff: 8, font: { size: 12 } },
    ...(axis.ticks.length ? thinned(axis.ticks, values.filter(isNumber), many) : {}),
    ...(axis.log ? { type: "log", dtick: 1, tickformat: ",~g" } : {}),
  };
}

function layoutOf(panel, series, names) {
  const ink = printing ? "#000000" : css("--ink");
  const isList = panel.kind === "list" || panel.kind === "boxes";
  const ends = (own) => series.flatMap((one) => [...own(one), ...(one.low || []), ...(one.high || [])]);
  const xaxis = axisOf(panel.x, isList ? ends((one) => one.x) : series.flatMap((one) => one.x));
  const yaxis = axisOf(panel.y, isList ? [] : ends((one) => one.y));
  if (isList) {
    const ticktext = names.map((name) => plain(name.length > 34 ? `${name.slice(0, 33)}…` : name));
    Object.assign(yaxis, { tickvals: names.map((_, at) => at), ticktext, range: [names.length - 0.4, -0.6], showgrid: false });
  }
  if (panel.front) {
    const logs = series.map((one) => Math.log10(one.x[0]));
    const edge = 0.12 * (Math.max(...logs) - Math.min(...logs)) + 0.1;
    xaxis.range = [Math.min(...logs) - edge, Math.max(...logs) + edge];
  }
  const across = isList ? { x0: panel.rule, x1: panel.rule, yref: "paper", y0: 0, y1: 1 } : { xref: "paper", x0: 0, x1: 1, y0: panel.rule, y1: panel.rule };
  return {
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: "system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif", size: 12, color: ink },
    margin: { l: 8, r: 12, t: 12, b: 8 },
    showlegend: false, hovermode: "closest",
    dragmode: matchMedia("(pointer: fine)").matches ? "zoom" : false,
    hoverlabel: { bgcolor: printing ? "#ffffff" : css("--raised"), bordercolor: css("--line"), font: { color: ink, size: 12 } },
    height: isList ? 70 + 26 * names.length : isNarrow() ? 320 : 400,
    shapes: panel.rule === null ? [] : [{ type: "line", ...across, line: { color: css("--muted"), width: 1 } }],
    xaxis, yaxis,
  };
}

function drawFigure(figure) {
  const plot = figure.querySelector(".plot");
  const { follows, panels } = DATA.figures[figure.dataset.chart];
  const panel = panels[follows.map((name) => state[name]).join("|")];
  const series = panel ? panel.series.filter((one) => !state.hidden.has(one.model)) : [];
  plot.classList.toggle("empty", !series.length);
  if (!series.length) {
    Plotly.purge(plot);
    plot.textContent = "Nothing to show: the run has no such figure for what is chosen above.";
    return;
  }
  if (!plot.querySelector(".main-svg")) plot.textContent = "";
  const names = [...new Set(series.map((one) => one.model))];
  const layout = layoutOf(panel, series, names);
  layout.width = printing ? PRINTED_WIDTH : plot.clientWidth;
  Plotly.react(plot, tracesOf(panel, series, names), layout, { displayModeBar: false });
}
