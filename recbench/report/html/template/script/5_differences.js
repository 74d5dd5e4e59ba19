// Differences with their intervals, as forest plots; shares of users; by groups of users.

function forest(rows, better, unit, digits, axisTitle) {
  const sorted = [...rows].sort((a, b) => better * (b.difference - a.difference));
  const names = sorted.map((row) => row.model);
  const scale = signedLog(sorted.flatMap((row) => [row.low, row.high, row.difference]), linearPart(sorted));
  const traces = sorted.map((row, at) => {
    const significant = isSignificant(row);
    const x = scale.at(row.difference);
    const bounded = isNumber(row.low) && isNumber(row.high);
    const lines = [
      `<b>${plain(row.model)}</b>${row.reference ? ` beside ${plain(row.reference)}` : ""}`,
      `${signed(row.difference, digits)}${unit}${bounded ? ` [${signed(row.low, digits)}, ${signed(row.high, digits)}]` : ", no interval"}`,
      isNumber(row.p_holm) ? `${significant ? "significant" : "not significant"}, p = ${shown(row.p_holm)} (Holm)` : "not tested",
    ];
    return {
      x: [x],
      y: [at],
      mode: "markers",
      marker: markerOf(row.model, !significant),
      error_x: bounded
        ? { type: "data", symmetric: false, array: [scale.at(row.high) - x], arrayminus: [x - scale.at(row.low)], color: colourOf(row.model), thickness: 2, width: 0 }
        : { visible: false },
      ...hover([lines.join("<br>")]),
    };
  });
  const side = better < 0 ? "left of the line: better" : "right of the line: better";
  return {
    traces,
    layout: {
      height: listHeight(names),
      shapes: [upright(0)],
      xaxis: { ...scale.axis, title: `${axisTitle} (${side})` },
      yaxis: listed(names),
    },
  };
}

CHARTS.forest = (rows) => {
  const score = scoreNow();
  const references = [...new Set(rows.map((row) => row.reference).filter(Boolean))];
  const beside = references.length === 1 ? ` beside ${plain(references[0])}` : "";
  return forest(rows, score.more ? 1 : -1, "", 4, `difference in ${plain(score.title)}${beside}`);
};

CHARTS.forest_percent = (rows) => forest(rows, -1, " %", 2, "difference in RMSE, %");

CHARTS.share = (rows) => {
  const sorted = [...rows].filter((row) => isNumber(row.better_share)).sort((a, b) => b.better_share - a.better_share);
  const names = sorted.map((row) => row.model);
  return {
    traces: sorted.map((row, at) => ({
      x: [100 * row.better_share],
      y: [at],
      mode: "markers",
      marker: markerOf(row.model),
      error_x: isNumber(row.better_low)
        ? { type: "data", symmetric: false, array: [100 * (row.better_high - row.better_share)], arrayminus: [100 * (row.better_share - row.better_low)], color: colourOf(row.model), thickness: 2, width: 0 }
        : { visible: false },
      ...hover([`<b>${plain(row.model)}</b><br>better for ${(100 * row.better_share).toFixed(1)} % of ${shown(row.users)} users than ${plain(row.reference)}`]),
    })),
    layout: {
      height: listHeight(names),
      shapes: [upright(50)],
      xaxis: { title: "users better served than by the reference, %" },
      yaxis: listed(names),
    },
  };
};

function groups(rows, by, places) {
  const own = rows.filter((row) => row.by === by);
  if (!own.length) return { empty: `By ${by}: nothing to compare in this cell; its users are alike in it, or too few.` };
  const scale = signedLog(own.flatMap((row) => [row.low, row.high]), linearPart(own));
  const numbers = [...new Set(own.map((row) => row.group))].sort((a, b) => a - b);
  const first = new Map(own.map((row) => [row.group, row]));
  const models = [...byModel(own)];
  const traces = models.map(([model, mine], at) => {
    mine.sort((a, b) => a.group - b.group);
    const y = mine.map((row) => scale.at(row.difference));
    return {
      x: mine.map((row) => row.group + (models.length > 1 ? 0.5 * (at / (models.length - 1) - 0.5) : 0)),
      y,
      mode: "lines+markers",
      line: { color: withAlpha(colourOf(model), 0.45), width: 1.5 },
      marker: markerOf(model),
      error_y: {
        type: "data", symmetric: false, color: colourOf(model), thickness: 1.5, width: 0,
        array: mine.map((row, k) => scale.at(row.high) - y[k]),
        arrayminus: mine.map((row, k) => y[k] - scale.at(row.low)),
      },
      ...hover(mine.map((row) => `<b>${plain(model)}</b><br>${plain(by)}: ${places(row)}, ${shown(row.users)} users<br>${signed(row.difference, 4)} [${signed(row.low, 4)}, ${signed(row.high, 4)}] stars`)),
    };
  });
  return {
    traces,
    layout: {
      height: 340,
      shapes: [level(0)],
      xaxis: { tickvals: numbers, ticktext: numbers.map((number) => places(first.get(number))), title: `${by}, quarters of the users` },
      yaxis: { ...scale.axis, title: "difference in RMSE, stars" },
    },
  };
}

CHARTS.groups_ratings = (rows) =>
  groups(rows, "held-out ratings of the user", (row) => (row.least === row.most ? shown(row.least) : `${Math.round(row.least)} – ${Math.round(row.most)}`));
CHARTS.groups_popularity = (rows) =>
  groups(rows, "popularity of the user's films", (row) => `${(100 * row.least).toFixed(0)} – ${(100 * row.most).toFixed(0)} %`);

CHARTS.spread = (rows) => {
  const sorted = [...rows].sort((a, b) => a.p50 - b.p50);
  const names = sorted.map((row) => row.model);
  return {
    traces: sorted.map((row, at) => ({
      type: "box",
      orientation: "h",
      y: [at],
      q1: [row.p25], median: [row.p50], q3: [row.p75], lowerfence: [row.p5], upperfence: [row.p95],
      width: 0.6,
      line: { color: colourOf(row.model), width: 1.5 },
      fillcolor: withAlpha(colourOf(row.model), 0.2),
      hoverinfo: "x",
    })),
    layout: { height: listHeight(names), xaxis: { title: "RMSE of single users, stars" }, yaxis: listed(names) },
  };
};
