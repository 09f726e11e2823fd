// Precision over recall as SVG; the legend reads the values at the recall that is pointed at.
const PLOT = { width: 720, height: 420, left: 40, right: 14, top: 10, bottom: 44 };
const across = (recall) => PLOT.left + recall * (PLOT.width - PLOT.left - PLOT.right);
const up = (precision) => PLOT.height - PLOT.bottom - precision * (PLOT.height - PLOT.top - PLOT.bottom);

function hue(place, oneClass) {
  const main = ["var(--ink)", "var(--muted)", "var(--accent)"];
  return oneClass ? `hsl(${(place * 137 + 20) % 360} 60% 52%)` : main[place % 3];
}

function showCurves(set) {
  byId("curves-section").hidden = !set.curves.length;
  const plot = svg("svg", {
    viewBox: `0 0 ${PLOT.width} ${PLOT.height}`, tabindex: 0, role: "img", "aria-label": "Precision over recall",
  }, ...axes());
  const lines = set.curves.map((curve, place) => {
    const points = curve.precision.map((value, recall) => `${across(recall / 100).toFixed(1)},${up(value).toFixed(1)}`);
    const line = svg("polyline", { class: curve.oneClass ? "curve class" : "curve", points: points.join(" ") });
    line.style.setProperty("--hue", hue(place, curve.oneClass));
    return line;
  });
  plot.append(...lines.reverse()); // the means on top
  const cursor = svg("g", { visibility: "hidden" });
  plot.append(cursor);
  byId("curves").replaceChildren(plot);
  listenToCurves(plot, cursor, set.curves);
  readCurves(cursor, set.curves, null);
}

function axes() {
  const ticks = [0, 0.25, 0.5, 0.75, 1];
  const names = [
    svg("text", { x: across(1), y: PLOT.height - 2, "text-anchor": "end" }, "recall"),
    svg("text", { x: across(0) + 6, y: up(0) - 8 }, "precision"),
  ];
  return names.concat(ticks.flatMap((tick) => [
    svg("line", { class: "grid", x1: across(0), x2: across(1), y1: up(tick), y2: up(tick) }),
    svg("text", { x: PLOT.left - 8, y: up(tick) + 4, "text-anchor": "end" }, String(100 * tick)),
    svg("text", { x: across(tick), y: PLOT.height - 20, "text-anchor": "middle" }, String(100 * tick)),
  ]));
}

function listenToCurves(plot, cursor, curves) {
  let recall = 50;
  const read = (value) => {
    recall = Math.max(0, Math.min(100, Math.round(value)));
    readCurves(cursor, curves, recall);
  };
  plot.addEventListener("pointermove", (event) => {
    const frame = plot.getBoundingClientRect();
    const x = ((event.clientX - frame.left) / frame.width) * PLOT.width;
    read((100 * (x - across(0))) / (across(1) - across(0)));
  });
  plot.addEventListener("pointerleave", () => readCurves(cursor, curves, null));
  plot.addEventListener("blur", () => readCurves(cursor, curves, null));
  plot.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1, PageDown: -10, PageUp: 10 }[event.key];
    if (!step) return;
    event.preventDefault();
    read(recall + step);
  });
}

function readCurves(cursor, curves, recall) {
  const title = recall === null ? ["Curve", "area below"] : [`at recall ${recall}`, "precision"];
  const rows = curves.map((curve, place) => {
    const mean = curve.precision.reduce((sum, value) => sum + value, 0) / curve.precision.length;
    const swatch = el("i");
    swatch.style.setProperty("--hue", hue(place, curve.oneClass));
    return el("li", {}, swatch, el("span", {}, curve.name), el("b", {}, percent(recall === null ? mean : curve.precision[recall])));
  });
  byId("legend").replaceChildren(el("li", { class: "head" }, ...title.map((text) => el("em", {}, text))), ...rows);
  cursor.setAttribute("visibility", recall === null ? "hidden" : "visible");
  if (recall === null) return;
  const x = across(recall / 100);
  cursor.replaceChildren(svg("line", { class: "cursor", x1: x, x2: x, y1: up(0), y2: up(1) }));
  curves.forEach((curve, place) => {
    const point = svg("circle", { class: "point", cx: x, cy: up(curve.precision[recall]), r: curve.oneClass ? 3 : 4.5 });
    point.style.setProperty("--hue", hue(place, curve.oneClass));
    cursor.append(point);
  });
}
