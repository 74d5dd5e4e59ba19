// Learning curves, and the price of waiting.

CHARTS.learning = (rows) => {
  const score = state.score === "mae" ? "mae" : "rmse";
  const seen = [...new Set(rows.map((row) => row.ratings_seen))].sort((a, b) => a - b);
  const place = new Map(seen.map((number, at) => [number, at]));
  const bands = [];
  const lines = [];
  for (const [model, own] of byModel(rows)) {
    own.sort((a, b) => a.ratings_seen - b.ratings_seen);
    const x = own.map((row) => place.get(row.ratings_seen));
    bands.push(band(model, x, own.map((row) => row[`${score}_low`]), own.map((row) => row[`${score}_high`]), byModel(rows).size));
    lines.push({
      x,
      y: own.map((row) => row[score]),
      mode: "lines+markers",
      line: { color: colourOf(model), width: 2, dash: (LOOKS.get(model) || {}).dash },
      marker: markerOf(model),
      ...hover(own.map((row) => `<b>${plain(model)}</b><br>after ${shown(row.ratings_seen)} ratings, ${shown(row.n_users)} users<br>${score.toUpperCase()} ${shown(row[score])} [${shown(row[`${score}_low`])}, ${shown(row[`${score}_high`])}]`)),
    });
  }
  return {
    traces: [...bands, ...lines],
    layout: {
      height: 400,
      xaxis: { tickvals: seen.map((_, at) => at), ticktext: seen.map(shown), title: "ratings that the user has given before (each up to the next)" },
      yaxis: { title: `${score.toUpperCase()} of the next ratings, stars (less is better)` },
    },
  };
};

CHARTS.waiting = (rows) => {
  const ages = ["under a minute", "minutes", "hours", "days", "weeks", "months"].filter((age) => rows.some((row) => row.age === age));
  const scale = signedLog(rows.map((row) => row.percent), 5);
  return {
    traces: [...byModel(rows)].map(([model, own]) => {
      own.sort((a, b) => ages.indexOf(a.age) - ages.indexOf(b.age));
      return {
        x: own.map((row) => ages.indexOf(row.age)),
        y: own.map((row) => scale.at(row.percent)),
        mode: "lines+markers",
        line: { color: colourOf(model), width: 2, dash: (LOOKS.get(model) || {}).dash },
        marker: markerOf(model),
        ...hover(own.map((row) => `<b>${plain(model)}</b><br>${plain(row.age)}: ${signed(row.percent, 1)} %<br>${shown(row.n_events)} ratings`)),
      };
    }),
    layout: {
      shapes: [level(0)],
      xaxis: { tickvals: ages.map((_, at) => at), ticktext: ages, title: "how old the last fit is" },
      yaxis: { ...scale.axis, title: "RMSE beside the first recommender, %" },
    },
  };
};

CHARTS.curve_changes = (rows) => {
  const seen = [...new Set(rows.map((row) => row.ratings_seen))].sort((a, b) => a - b);
  const place = new Map(seen.map((number, at) => [number, at]));
  const models = [...byModel(rows)];
  const scale = signedLog(rows.flatMap((row) => [row.low, row.high]), linearPart(rows));
  return {
    traces: models.map(([model, own], at) => {
      own.sort((a, b) => a.ratings_seen - b.ratings_seen);
      const y = own.map((row) => scale.at(row.difference));
      return {
        x: own.map((row) => place.get(row.ratings_seen) + (models.length > 1 ? 0.4 * (at / (models.length - 1) - 0.5) : 0)),
        y,
        mode: "lines+markers",
        line: { color: withAlpha(colourOf(model), 0.45), width: 1.5 },
        marker: markerOf(model),
        error_y: {
          type: "data", symmetric: false, color: colourOf(model), thickness: 1.5, width: 0,
          array: own.map((row, k) => scale.at(row.high) - y[k]),
          arrayminus: own.map((row, k) => y[k] - scale.at(row.low)),
        },
        ...hover(own.map((row) => `<b>${plain(model)}</b><br>after ${shown(row.ratings_seen)} ratings<br>${signed(row.difference, 4)} [${signed(row.low, 4)}, ${signed(row.high, 4)}] stars`)),
      };
    }),
    layout: {
      shapes: [level(0)],
      xaxis: { tickvals: seen.map((_, at) => at), ticktext: seen.map(shown), title: "ratings that the user has given before (each up to the next)" },
      yaxis: { ...scale.axis, title: "change of RMSE, stars" },
    },
  };
};
