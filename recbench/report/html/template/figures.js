// Figures as recbench/report/figure.py describes them, drawn by plotly.js.

function css(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function colourOf(look) {
  return matchMedia("(prefers-color-scheme: dark)").matches ? look.dark : look.light;
}

// Plotly reads some HTML in its texts; names are to be shown as they are.
function plain(text) {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
}

// Titles of axes depend on the score.
function titleOf(axis) {
  const more = DATA.moreIsBetter.includes(state.score);
  const words = { score: DATA.scores[state.score], better: more ? "more" : "less", side: more ? "right" : "left" };
  return axis.title.replace(/\{(\w+)\}/g, (_, name) => words[name]);
}

// The axis as plotly has it, and where a value stands on it.
function axisOf({ column, scale }, rows) {
  const line = css("--line");
  const layout = { gridcolor: line, linecolor: line, automargin: true, zeroline: scale === "signed", zerolinecolor: css("--muted") };
  if (scale === "log") Object.assign(layout, { type: "log", dtick: 1, tickformat: ",~g" });
  if (scale === "places") return { put: shown, layout: { ...layout, type: "category", categoryarray: [...new Set(rows.map((row) => shown(row[column])))] } };
  if (scale !== "signed") return { put: (value) => value, layout };
  const half = median(rows.map((row) => (row.high - row.low) / 2)) || median(rows.map((row) => Math.abs(row[column]))) || 1;
  const put = (value) => (isNumber(value) ? Math.asinh(value / half) : null);
  const values = rows.flatMap((row) => [row[column], row.low, row.high]).filter(isNumber);
  const [least, most] = [1.2 * Math.min(0, ...values), 1.2 * Math.max(0, ...values)];
  const sizes = [-4, -3, -2, -1, 0, 1, 2, 3].flatMap((power) => [Number(`1e${power}`), Number(`3e${power}`)]).filter((size) => size > half);
  const ticks = [0, ...sizes, ...sizes.map((size) => -size)].filter((value) => value >= least && value <= most);
  return { put, layout: { ...layout, tickvals: ticks.map(put), ticktext: ticks.map((value) => (value > 0 ? "+" : "") + String(value).replace("-", "−")) } };
}

function median(values) {
  const sorted = values.filter(isNumber).sort((a, b) => a - b);
  return sorted.length ? (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2 : 0;
}

// A row of the table.
function hoverOf(row) {
  const names = Object.keys(row).filter((name) => !/^(_.*|model|num_users|reviews_per_user)$/.test(name) && (row[name] ?? "") !== "");
  return [`<b>${plain(row.model)}</b>`, ...names.map((name) => plain(`${name.replaceAll("_", " ")}: ${shown(row[name])}`))].join("<br>");
}

function band(one, ofMany) {
  const there = one.x.map((x, at) => [x, one.low[at], one.high[at]]).filter(([, ...ends]) => ends.every(isNumber));
  const back = [...there].reverse();
  return {
    x: [...there, ...back].map(([x]) => x),
    y: [...there.map(([, , high]) => high), ...back.map(([, low]) => low)],
    fill: "toself", fillcolor: colourOf(one.look) + (ofMany > 6 ? "14" : "26"),
    line: { width: 0 }, mode: "lines", hoverinfo: "skip",
  };
}

function errorBars(one) {
  const away = (ends, sign) => ends.map((end, at) => (isNumber(end) ? sign * (end - one.x[at]) : 0));
  return { type: "data", symmetric: false, array: away(one.high, 1), arrayminus: away(one.low, -1), thickness: 2, width: 0 };
}

function traceOf(figure, one) {
  const colour = colourOf(one.look);
  const open = one.rows.map((row) => row._open ?? one.look.open);
  return {
    x: one.x, y: one.y,
    mode: { list: "markers", lines: "lines+markers", points: "markers" }[figure.kind],
    line: { color: colour, width: 2, dash: one.look.dash },
    marker: { color: colour, symbol: open.map((is) => one.look.symbol + (is ? "-open" : "")), size: 9, line: { width: open.map((is) => (is ? 2 : 0)), color: colour } },
    hovertext: one.rows.map(hoverOf), hovertemplate: "%{hovertext}<extra></extra>",
    ...(figure.kind === "list" && one.low.some(isNumber) && { error_x: errorBars(one) }),
  };
}

// Those of a front whose names have room, the best first.
function withRoom(front, place, width) {
  const apart = 10 ** (70 / width); // 14 pixels of an axis of five decades
  const kept = [];
  for (const row of front.toReversed()) {
    if (!kept.length || place(kept[kept.length - 1]) > apart * place(row)) kept.push(row);
  }
  return kept;
}

function drawFigure(element) {
  const plot = element.querySelector(".plot");
  const caption = element.querySelector("figcaption");
  const figure = DATA.figures[element.dataset.chart];
  const { classes, kind } = figure;
  const { follows } = DATA.tables[element.closest("section").id];
  const rows = followed(follows, figure.rows).filter((row) => classes.length || !state.hidden.has(row.model));
  plot.classList.toggle("empty", !rows.length);
  caption.replaceChildren();
  if (!rows.length) {
    Plotly.purge(plot);
    plot.textContent = "Nothing to show: the run has no such figure for what is chosen above.";
    return;
  }
  if (!plot.querySelector(".main-svg")) plot.textContent = "";
  const isList = kind === "list";
  const more = DATA.moreIsBetter.includes(state.score);
  const place = (row) => row[figure.x.column];
  const valueOf = (row) => row[figure.y.column];
  if (isList) rows.sort((a, b) => (more ? place(b) - place(a) : place(a) - place(b)));
  const [x, y] = [axisOf(figure.x, rows), axisOf(figure.y, rows)];
  const groups = Map.groupBy(rows, (row) => row[classes.length ? "_class" : "model"]);
  const series = [...groups].map(([name, own], at) => {
    const [low, high] = ["low", "high"].map((end) => own.map((row) => (isList ? x : y).put(row[end])));
    const places = own.map((row) => (isList ? at : y.put(valueOf(row))));
    return { look: LOOKS.get(name) || classes.find((one) => one.name === name), rows: own, x: own.map((row) => x.put(place(row))), y: places, low, high };
  });
  const traces = series.map((one) => traceOf(figure, one));
  const below = kind === "lines" ? series.filter((one) => one.low.some(isNumber)).map((one) => band(one, series.length)) : [];
  const front = rows.filter((row) => row._front);
  if (kind === "points") {
    below.push({ x: front.map(place), y: front.map(valueOf), mode: "lines", hoverinfo: "skip", line: { color: css("--muted"), width: 1, dash: "dot", shape: "hv" } });
    const [least, most] = [Math.min(...rows.map(valueOf)), Math.max(...rows.map(valueOf))];
    const pad = (most - least || 1) * 0.3; // for the names
    y.layout.range = more ? [least - pad / 5, most + pad] : [least - pad, most + pad / 5];
  }
  if (isList) {
    const names = [...groups.keys()];
    const ticktext = names.map((name) => plain(name.length > 34 ? `${name.slice(0, 33)}…` : name));
    Object.assign(y.layout, { tickvals: names.map((_, at) => at), ticktext, range: [names.length - 0.4, -0.6], showgrid: false });
  } else y.layout.title = { text: plain(titleOf(figure.y)), standoff: 8, font: { size: 12 } };
  caption.append(titleOf(figure.x), ...(classes.length ? [` · ${figure.note}:`] : []));
  caption.append(...classes.filter((one) => groups.has(one.name)).flatMap((one) => [" ", glyph(one), one.name]));
  const ink = css("--ink");
  const layout = {
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: "system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif", size: 12, color: ink },
    margin: { l: 8, r: 12, t: 12, b: 8 },
    showlegend: false, hovermode: "closest",
    dragmode: matchMedia("(pointer: fine)").matches ? "zoom" : false,
    hoverlabel: { bgcolor: css("--raised"), bordercolor: css("--line"), font: { color: ink, size: 12 } },
    height: isList ? 50 + 26 * groups.size : innerWidth < 600 ? 320 : 400,
    width: plot.clientWidth,
    xaxis: x.layout, yaxis: y.layout,
    annotations: withRoom(front, place, plot.clientWidth).map((row) => ({ // where nothing else stands
      x: Math.log10(place(row)), y: valueOf(row), text: plain(row.model), font: { size: 11 }, showarrow: false,
      xanchor: "right", yanchor: more ? "bottom" : "top", textangle: more ? 40 : -40,
    })),
  };
  Plotly.react(plot, [...below, ...traces], layout, { displayModeBar: false });
}
