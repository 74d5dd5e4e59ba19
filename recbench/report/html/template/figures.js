// Figures as recbench/report/figure.py describes them, drawn by plotly.js.

function css(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function isNarrow() {
  return innerWidth < 600;
}

function isDark() {
  return matchMedia("(prefers-color-scheme: dark)").matches;
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

// Columns and titles of axes depend on the score.
function ofScore(text, score) {
  const more = DATA.moreIsBetter.includes(state.score);
  const words = { score, better: more ? "more" : "less", side: more ? "right" : "left" };
  return text.replace(/\{(\w+)\}/g, (all, name) => words[name] ?? all);
}

// Of ticks in the order of importance those that do not crowd.
function thinned(ticks, values) {
  const apart = (Math.max(...values) - Math.min(...values) || 1) / (isNarrow() ? 5 : 12);
  const kept = [];
  for (const tick of ticks) {
    if (kept.every(([at]) => Math.abs(at - tick[0]) > apart)) kept.push(tick);
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

function withSign(value) {
  return `${value > 0 ? "+" : value < 0 ? "−" : ""}${shown(Math.abs(value))}`;
}

// Where a value of an axis stands, and the axis as plotly has it; ends: the columns of intervals.
function axisOf(axis, rows, ends = []) {
  const column = ofScore(axis.column, state.score);
  const title = plain(ofScore(axis.title, DATA.scores[state.score]));
  const line = css("--line");
  const layout = {
    gridcolor: line, zerolinecolor: line, linecolor: line, automargin: true, zeroline: false,
    title: { text: isNarrow() ? inLines(title, 40) : title, standoff: 8, font: { size: 12 } },
  };
  let put = (value) => value;
  if (axis.scale === "log") Object.assign(layout, { type: "log", dtick: 1, tickformat: ",~g" });
  if (axis.scale === "percent") layout.tickformat = ".0%";
  if (axis.scale === "places") {
    const places = [...new Set(rows.map((row) => row[column]))];
    put = (value) => places.indexOf(value);
    Object.assign(layout, thinned(places.map((value, at) => [at, shown(value)]), [0, places.length - 1]));
  }
  if (axis.scale === "signed") {
    const half = median(rows.map((row) => (row.high - row.low) / 2)) || median(rows.map((row) => Math.abs(row[column]))) || 1;
    put = (value) => (isNumber(value) ? Math.asinh(value / half) : null);
    const values = [0, ...rows.flatMap((row) => [column, ...ends].map((name) => row[name])).filter(isNumber)];
    const sizes = Array.from({ length: 14 }, (_, at) => [10 ** (at - 7), 3 * 10 ** (at - 7)]).flat();
    const there = sizes.flatMap((size) => [size, -size]).filter((value) => value >= 1.2 * Math.min(...values) && value <= 1.2 * Math.max(...values));
    const text = (value) => `${value > 0 ? "+" : "−"}${Number(Math.abs(value).toPrecision(1))}`;
    Object.assign(layout, thinned([[0, "0"], ...there.map((value) => [put(value), text(value)])], values.map(put)));
  }
  return { at: (row) => put(row[column]), put, layout, column };
}

function median(values) {
  const sorted = values.filter(isNumber).sort((a, b) => a - b);
  return sorted.length ? (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2 : 0;
}

function hoverOf(figure, row, value, ends) {
  const values = { ...row, value: row[value], low: row[ends[0]], high: row[ends[1]], score: DATA.scores[state.score] };
  const lines = figure.hover.filter((line) => [...line.matchAll(/\{\+?(\w+)\}/g)].every(([, name]) => (values[name] ?? null) !== null));
  const texts = lines.map((line) => line.replace(/\{(\+?)(\w+)\}/g, (_, sign, name) => (sign ? withSign : shown)(values[name])));
  return [`<b>${plain(row.model)}</b>`, ...texts.map(plain)].join("<br>");
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

function errorBars(one) {
  const away = (ends, sign) => ends.map((end, at) => (isNumber(end) ? sign * (end - one.x[at]) : 0));
  return { type: "data", symmetric: false, array: away(one.high, 1), arrayminus: away(one.low, -1), color: colourOf(one.model), thickness: 2, width: 0 };
}

function frontOf(series) {
  const front = [];
  for (const one of [...series].sort((a, b) => a.x[0] - b.x[0] || a.y[0] - b.y[0])) {
    if (!front.length || one.y[0] < front[front.length - 1].y[0]) front.push(one);
  }
  return front;
}

function traceOf(figure, one) {
  const look = LOOKS.get(one.model);
  const colour = colourOf(one.model);
  const open = one.rows.map((row) => row._open ?? look.open);
  const isList = figure.kind === "list";
  const trace = {
    x: one.x, y: one.y,
    mode: isList ? "markers" : "lines+markers",
    line: { color: colour, width: 2, dash: look.dash },
    marker: { color: colour, symbol: open.map((is) => look.symbol + (is ? "-open" : "")), size: 9, line: { width: open.map((is) => (is ? 2 : 0)), color: colour } },
    hovertext: one.hover, hovertemplate: "%{hovertext}<extra></extra>",
  };
  return isList && one.low.some(isNumber) ? { ...trace, error_x: errorBars(one) } : trace;
}

function drawFigure(element) {
  const plot = element.querySelector(".plot");
  const figure = DATA.figures[element.dataset.chart];
  const rows = followed(figure.follows, figure.rows).filter((row) => !state.hidden.has(row.model));
  plot.classList.toggle("empty", !rows.length);
  if (!rows.length) {
    Plotly.purge(plot);
    plot.textContent = "Nothing to show: the run has no such figure for what is chosen above.";
    return;
  }
  if (!plot.querySelector(".main-svg")) plot.textContent = "";
  const names = [...new Set(rows.map((row) => row.model))];
  const isList = figure.kind === "list";
  const ends = figure.ends.map((name) => ofScore(name, state.score));
  const [x, y] = [axisOf(figure.x, rows, isList ? ends : []), axisOf(figure.y, rows, isList ? [] : ends)];
  const value = isList ? x : y;
  const series = names.map((model, at) => {
    const own = rows.filter((row) => row.model === model);
    const [low, high] = ends.map((name) => own.map((row) => value.put(row[name])));
    const placed = own.map((row) => (isList ? at : y.at(row)));
    return { model, rows: own, x: own.map(x.at), y: placed, low, high, hover: own.map((row) => hoverOf(figure, row, value.column, ends)) };
  });
  const traces = series.map((one) => traceOf(figure, one));
  const muted = { mode: "lines", hoverinfo: "skip", line: { color: css("--muted"), width: 1, dash: "dot" } };
  const below = figure.kind === "lines" ? series.filter((one) => one.low.some(isNumber)).map((one) => band(one, names.length)) : [];
  if (figure.diagonal) below.push({ ...muted, x: figure.diagonal, y: figure.diagonal });
  if (figure.kind === "points") {
    const front = figure.front ? frontOf(series) : series;
    const places = series.map((one) => (figure.x.scale === "log" ? Math.log10(one.x[0]) : one.x[0]));
    const middle = (Math.min(...places) + Math.max(...places)) / 2;
    traces.forEach((trace, at) => {
      const textposition = places[at] > middle ? "top left" : "top right"; // within the frame
      const mode = front.includes(series[at]) ? "markers+text" : "markers";
      Object.assign(trace, { mode, text: [plain(names[at])], textposition, textfont: { size: 11 }, cliponaxis: false });
    });
    if (figure.front) below.push({ ...muted, line: { ...muted.line, shape: "hv" }, x: front.map((one) => one.x[0]), y: front.map((one) => one.y[0]) });
  }
  if (isList) {
    const ticktext = names.map((name) => plain(name.length > 34 ? `${name.slice(0, 33)}…` : name));
    Object.assign(y.layout, { tickvals: names.map((_, at) => at), ticktext, range: [names.length - 0.4, -0.6], showgrid: false });
  }
  const ink = css("--ink");
  const across = isList ? { x0: figure.rule, x1: figure.rule, yref: "paper", y0: 0, y1: 1 } : { xref: "paper", x0: 0, x1: 1, y0: figure.rule, y1: figure.rule };
  const layout = {
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: "system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif", size: 12, color: ink },
    margin: { l: 8, r: 12, t: 12, b: 8 },
    showlegend: false, hovermode: "closest",
    dragmode: matchMedia("(pointer: fine)").matches ? "zoom" : false,
    hoverlabel: { bgcolor: css("--raised"), bordercolor: css("--line"), font: { color: ink, size: 12 } },
    height: isList ? 70 + 26 * names.length : isNarrow() ? 320 : 400,
    width: plot.clientWidth,
    shapes: figure.rule === null ? [] : [{ type: "line", ...across, line: { color: css("--muted"), width: 1 } }],
    xaxis: x.layout, yaxis: y.layout,
  };
  Plotly.react(plot, [...below, ...traces], layout, { displayModeBar: false });
}
