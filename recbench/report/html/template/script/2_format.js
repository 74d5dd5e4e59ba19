// Numbers, colours and scales as they are shown.

function isNumber(value) {
  return typeof value === "number" && Number.isFinite(value);
}

function shown(value) {
  if (value === null || value === undefined) return "";
  if (!isNumber(value)) return String(value);
  const size = Math.abs(value);
  if (Number.isInteger(value)) return value.toLocaleString("en-US");
  if (size >= 1000) return Math.round(value).toLocaleString("en-US");
  if (size >= 100) return value.toFixed(0);
  if (size < 0.0005) return value.toExponential(1);
  return value.toFixed(3);
}

function isSignificant(row) {
  return isNumber(row.p_holm) && row.p_holm < ALPHA;
}

function signed(value, digits = 3) {
  return isNumber(value) ? (value > 0 ? "+" : "") + value.toFixed(digits) : "";
}

// Plotly reads some HTML in its texts; names are to be shown as they are.
function plain(text) {
  return String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
}

function css(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function isDark() {
  const chosen = document.documentElement.dataset.theme;
  if (printing) return false;
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

function colourOf(model) {
  const look = LOOKS.get(model);
  return look ? (isDark() ? look.dark : look.light) : css("--muted");
}

function markerOf(model, open) {
  const look = LOOKS.get(model) || { symbol: "circle", open: false };
  const symbol = open ?? look.open ? `${look.symbol}-open` : look.symbol;
  return { color: colourOf(model), symbol, size: 9, line: { width: symbol.endsWith("-open") ? 2 : 0, color: colourOf(model) } };
}

function withAlpha(colour, alpha) {
  const part = (at) => parseInt(colour.slice(at, at + 2), 16);
  return /^#[0-9a-f]{6}$/i.test(colour) ? `rgba(${part(1)},${part(3)},${part(5)},${alpha})` : colour;
}

// Linear about zero, logarithmic beyond `linear`: small differences and large ones in one picture.
function signedLog(values, linear) {
  const at = (value) => Math.sign(value) * Math.log1p(Math.abs(value) / linear);
  const finite = values.filter(isNumber);
  const low = Math.min(0, ...finite);
  const high = Math.max(0, ...finite);
  const ticks = [0];
  const width = at(high) - at(low) || 1;
  const sides = (size) => [size, -size].filter((value) => value >= low * 1.2 && value <= high * 1.2);
  for (let power = -7; power < 7; power += 1) {
    for (const step of [1, 3]) {
      for (const value of sides(Number((step * 10 ** power).toPrecision(3)))) {
        if (ticks.every((tick) => Math.abs(at(tick) - at(value)) > width / (isNarrow() ? 5 : 9))) ticks.push(value);
      }
    }
  }
  ticks.sort((a, b) => a - b);
  return { at, axis: { tickvals: ticks.map(at), ticktext: ticks.map((tick) => `${tick}`.replace("-", "−").replace(/^(?=[1-9]|0.)/, "+")) } };
}

function median(values) {
  const sorted = values.filter(isNumber).sort((a, b) => a - b);
  return sorted.length ? sorted[Math.floor(sorted.length / 2)] : NaN;
}

// Where the intervals are wider than that, a difference is drawn to scale.
function linearPart(rows) {
  const half = median(rows.map((row) => (row.high - row.low) / 2));
  return half > 0 ? half : median(rows.map((row) => Math.abs(row.difference))) || 1;
}
