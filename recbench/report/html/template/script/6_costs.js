// Error against cost; ranking and calibration; what a replay costs.

// Names stay within the frame: those on the right are written to the left.
function sideFor(value, all) {
  const part = (value - Math.min(...all)) / (Math.max(...all) - Math.min(...all) || 1);
  return part > 0.7 ? "top left" : part < 0.3 ? "top right" : "top center";
}

function againstCost(rows, column, title, unit) {
  const there = rows.filter((row) => isNumber(row[column]) && isNumber(row.rmse));
  if (!there.length) return { empty: `No recommender that is shown tells its ${title}.` };
  const positive = there.map((row) => row[column]).filter((value) => value > 0);
  const floor = positive.length ? Math.min(...positive) / 3 : 1; // zero is not on a log scale
  const cost = (row) => Math.max(row[column], floor);
  const front = [];
  for (const row of [...there].sort((a, b) => cost(a) - cost(b) || a.rmse - b.rmse)) {
    if (!front.length || row.rmse < front[front.length - 1].rmse) front.push(row);
  }
  const line = {
    x: front.map(cost), y: front.map((row) => row.rmse), mode: "lines", hoverinfo: "skip",
    line: { color: css("--muted"), width: 1, dash: "dot", shape: "hv" },
  };
  const logs = there.map((row) => Math.log10(cost(row)));
  const points = there.map((row) => ({
    x: [cost(row)],
    y: [row.rmse],
    mode: front.includes(row) ? "markers+text" : "markers",
    text: [plain(row.model)],
    textposition: sideFor(Math.log10(cost(row)), logs),
    textfont: { size: 11 },
    marker: markerOf(row.model),
    ...hover([`<b>${plain(row.model)}</b><br>RMSE ${shown(row.rmse)} stars<br>${shown(row[column])} ${unit}`]),
  }));
  const edge = 0.12 * (Math.max(...logs) - Math.min(...logs)) + 0.1;
  return {
    traces: [line, ...points],
    layout: {
      height: 400,
      xaxis: { type: "log", title: `${title} (log scale)`, range: [Math.min(...logs) - edge, Math.max(...logs) + edge], dtick: 1, tickformat: column === "seconds" ? "~g" : "~s" },
      yaxis: { title: "RMSE, stars (less is better)" },
    },
  };
}

CHARTS.cost_seconds = (rows) => againstCost(rows, "seconds", "seconds", "s");
CHARTS.cost_bytes = (rows) => againstCost(rows, "bytes_per_user", "bytes per user", "bytes");

CHARTS.ranking = (rows) => ({
  traces: rows.map((row) => ({
    x: [100 * row.ranking_popularity],
    y: [row.ranking_ndcg_at_10],
    mode: "markers+text",
    text: [plain(row.model)],
    textposition: sideFor(row.ranking_popularity, rows.map((one) => one.ranking_popularity)),
    textfont: { size: 11 },
    marker: markerOf(row.model),
    ...hover([`<b>${plain(row.model)}</b><br>nDCG at 10: ${shown(row.ranking_ndcg_at_10)}<br>recall at 10: ${shown(row.ranking_recall_at_10)}<br>popularity of its ten: ${(100 * row.ranking_popularity).toFixed(0)} %`]),
  })),
  layout: {
    xaxis: { title: "mean popularity percentile of the ten films" },
    yaxis: { title: "nDCG at 10 of all films (more is better)" },
  },
});

CHARTS.calibration = (rows) => {
  const nominal = [["coverage_50", 50], ["coverage_80", 80], ["coverage_95", 95]];
  const diagonal = {
    x: [45, 100], y: [45, 100], mode: "lines", hoverinfo: "skip",
    line: { color: css("--muted"), width: 1, dash: "dot" },
  };
  const lines = rows.map((row) => {
    const there = nominal.filter(([name]) => isNumber(row[name]));
    return {
      x: there.map(([, percent]) => percent),
      y: there.map(([name]) => 100 * row[name]),
      mode: "lines+markers",
      line: { color: colourOf(row.model), width: 2 },
      marker: markerOf(row.model),
      ...hover(there.map(([name, percent]) => `<b>${plain(row.model)}</b><br>interval of ${percent} %: holds ${(100 * row[name]).toFixed(1)} %`)),
    };
  });
  return {
    traces: [diagonal, ...lines],
    layout: {
      xaxis: { title: "the interval says, %", tickvals: [50, 80, 95] },
      yaxis: { title: "held-out ratings within, %" },
    },
  };
};

CHARTS.latency = (rows) => {
  const sorted = [...rows].sort((a, b) => a.predict_us_p50 - b.predict_us_p50);
  const names = sorted.map((row) => row.model);
  const traces = [];
  sorted.forEach((row, at) => {
    for (const [what, shift] of [["predict", -0.16], ["learn", 0.16]]) {
      const [p50, p99] = [row[`${what}_us_p50`], row[`${what}_us_p99`]];
      if (!isNumber(p50)) continue;
      const text = `<b>${plain(row.model)}</b><br>${what}: ${shown(p50)} µs, 99th percentile ${shown(p99)} µs`;
      traces.push({
        x: [p50, p99], y: [at + shift, at + shift], mode: "lines+markers",
        line: { color: withAlpha(colourOf(row.model), 0.6), width: 2 },
        marker: { ...markerOf(row.model, what === "learn"), size: [9, 0.1] },
        ...hover([text, text]),
      });
    }
  });
  return {
    traces,
    layout: {
      height: 80 + 34 * names.length,
      xaxis: { type: "log", title: "microseconds (log scale); filled: predict, open: learn", dtick: 1, tickformat: ",~g" },
      yaxis: listed(names),
    },
  };
};
