// Error by ratings per user: lines over the cells, or a list where there is one cell.

CHARTS.by_ratings = (rows) => {
  const score = scoreNow();
  const cells = [...new Map(rows.map((row) => [cellKey(row), row])).values()].sort(
    (a, b) => (a.reviews_per_user || Infinity) - (b.reviews_per_user || Infinity) || (a.num_users || Infinity) - (b.num_users || Infinity),
  );
  return cells.length > 1 ? linesOverCells(rows, cells, score) : listOfScores(rows, score);
};

function scoreText(row, score) {
  const interval = isNumber(row.low) && isNumber(row.high) ? ` [${shown(row.low)}, ${shown(row.high)}]` : "";
  return `<b>${plain(row.model)}</b><br>${cellName(row)}<br>${plain(score.title)} ${shown(row.mean)}${interval}`;
}

function linesOverCells(rows, cells, score) {
  const place = new Map(cells.map((cell, at) => [cellKey(cell), at]));
  const bands = [];
  const lines = [];
  for (const [model, own] of byModel(rows)) {
    own.sort((a, b) => place.get(cellKey(a)) - place.get(cellKey(b)));
    const x = own.map((row) => place.get(cellKey(row)));
    const banded = own.filter((row) => isNumber(row.low) && isNumber(row.high));
    if (banded.length > 1) {
      const places = banded.map((row) => place.get(cellKey(row)));
      bands.push(band(model, places, banded.map((row) => row.low), banded.map((row) => row.high), byModel(rows).size));
    }
    lines.push({
      x,
      y: own.map((row) => row.mean),
      mode: "lines+markers",
      line: { color: colourOf(model), width: 2, dash: (LOOKS.get(model) || {}).dash },
      marker: markerOf(model),
      ...hover(own.map((row) => scoreText(row, score))),
    });
  }
  return {
    traces: [...bands, ...lines],
    layout: {
      height: 380,
      xaxis: { tickvals: cells.map((_, at) => at), ...cellTicks(cells) },
      yaxis: { title: plain(score.title) + (score.more ? " (more is better)" : " (less is better)") },
    },
  };
}

// Short where all cells have as many users.
function cellTicks(cells) {
  const users = [...new Set(cells.map((cell) => cell.num_users))];
  return users.length > 1
    ? { ticktext: cells.map((cell) => (isNarrow() ? cellName(cell).replace(" × ", "<br>× ") : cellName(cell))), title: "users × ratings of each" }
    : { ticktext: cells.map((cell) => String(cell.reviews_per_user || "all")), title: `ratings of each of ${users[0] || "all"} users` };
}

function listOfScores(rows, score) {
  const sorted = [...rows].sort((a, b) => (score.more ? b.mean - a.mean : a.mean - b.mean));
  const names = sorted.map((row) => row.model);
  return {
    traces: sorted.map((row, at) => ({
      x: [row.mean],
      y: [at],
      mode: "markers",
      marker: markerOf(row.model),
      error_x: isNumber(row.low)
        ? { type: "data", symmetric: false, array: [row.high - row.mean], arrayminus: [row.mean - row.low], color: colourOf(row.model), thickness: 2, width: 0 }
        : { visible: false },
      ...hover([scoreText(row, score)]),
    })),
    layout: {
      height: listHeight(names),
      xaxis: { title: plain(score.title) + (score.more ? " (more is better)" : " (less is better)") },
      yaxis: listed(names),
    },
  };
}
