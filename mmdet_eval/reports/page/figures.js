// Line charts as SVG, both axes from 0 to 1; the legend reads the values at the place that is pointed at.
const PLOT = { width: 720, height: 420, left: 40, right: 14, top: 10, bottom: 44 };
const across = (x) => PLOT.left + x * (PLOT.width - PLOT.left - PLOT.right);
const up = (y) => PLOT.height - PLOT.bottom - y * (PLOT.height - PLOT.top - PLOT.bottom);

function hue(line, place) {
  if (several) return modelHue(line.model);
  const main = ["var(--ink)", "var(--muted)", "var(--accent)"];
  return line.thin ? `hsl(${(place * 137 + 20) % 360} 60% 52%)` : main[place % 3];
}

function showFigures(sets) {
  const titles = [...new Set(sets.flatMap((set) => set.figures.map((figure) => figure.title)))];
  const drawn = titles.map((title) => {
    const ofModels = sets.map((set) => set.figures.find((figure) => figure.title === title));
    return several ? besideOneAnother(ofModels) : ofModels[0];
  });
  byId("figures-section").hidden = !drawn.length;
  byId("figures").replaceChildren(...drawn.map(chart));
}

// Of each model that has the figure the first line, such as that of IoU .5.
function besideOneAnother(figures) {
  const lines = figures.flatMap((figure, model) => (figure ? [{ ...figure.lines[0], model, name: `${models[model].name}, ${figure.lines[0].name}` }] : []));
  return { ...figures.find(Boolean), lines };
}

function chart(figure) {
  const plot = svg("svg", {
    viewBox: `0 0 ${PLOT.width} ${PLOT.height}`, tabindex: 0, role: "img", "aria-label": `${figure.title}; arrow keys read the values`,
  }, ...axes(figure));
  const lines = figure.lines.map((line, place) => {
    const places = line.y.flatMap((value, at) => (none(value) ? [] : [[across(figure.x[at]).toFixed(1), up(value).toFixed(1)]]));
    const curve = svg("polyline", { class: line.thin ? "curve class" : "curve", points: places.join(" ") });
    const points = figure.points ? places.map(([x, y]) => svg("circle", { class: "point", cx: x, cy: y, r: line.thin ? 2 : 3.5 })) : [];
    return styled(svg("g", {}, curve, ...points), { "--hue": hue(line, place) });
  });
  plot.append(...lines.reverse()); // the first ones on top
  const cursor = svg("g", { visibility: "hidden" });
  plot.append(cursor);
  const legend = el("ul", { class: "legend" });
  const read = (at) => readFigure(figure, legend, cursor, at);
  listenTo(plot, figure, read);
  read(null);
  return el("figure", {}, el("figcaption", {}, figure.title), el("div", { class: "chart" }, plot, legend));
}

function axes(figure) {
  const ticks = [0, 0.25, 0.5, 0.75, 1];
  const names = [
    svg("text", { x: across(1), y: PLOT.height - 2, "text-anchor": "end" }, figure.across),
    svg("text", { x: across(0) + 6, y: up(0) - 8 }, figure.up),
  ];
  return names.concat(ticks.flatMap((tick) => [
    svg("line", { class: "grid", x1: across(0), x2: across(1), y1: up(tick), y2: up(tick) }),
    svg("text", { x: PLOT.left - 8, y: up(tick) + 4, "text-anchor": "end" }, String(100 * tick)),
    svg("text", { x: across(tick), y: PLOT.height - 20, "text-anchor": "middle" }, String(100 * tick)),
  ]));
}

function listenTo(plot, figure, read) {
  const last = figure.x.length - 1;
  let at = Math.round(last / 2);
  const readAt = (place) => {
    at = Math.max(0, Math.min(last, Math.round(place)));
    read(at);
  };
  plot.addEventListener("pointermove", (event) => {
    const frame = plot.getBoundingClientRect();
    const x = ((event.clientX - frame.left) / frame.width) * PLOT.width;
    readAt(nearest(figure.x, (x - across(0)) / (across(1) - across(0))));
  });
  plot.addEventListener("pointerleave", () => read(null));
  plot.addEventListener("blur", () => read(null));
  plot.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1, PageDown: -10, PageUp: 10 }[event.key];
    if (!step) return;
    event.preventDefault();
    readAt(at + step);
  });
}

function nearest(values, wanted) {
  return values.reduce((best, value, at) => (Math.abs(value - wanted) < Math.abs(values[best] - wanted) ? at : best), 0);
}

function readFigure(figure, legend, cursor, at) {
  const title = at === null ? ["Curve", figure.value] : [`at ${figure.across} ${Math.round(100 * figure.x[at])}`, figure.up];
  const rows = figure.lines.map((line, place) => el("li", {},
    styled(el("i"), { "--hue": hue(line, place) }), el("span", {}, line.name), el("b", {}, percent(at === null ? line.value : line.y[at]))));
  legend.replaceChildren(el("li", { class: "head" }, ...title.map((text) => el("em", {}, text))), ...rows);
  cursor.setAttribute("visibility", at === null ? "hidden" : "visible");
  if (at === null) return;
  const x = across(figure.x[at]);
  cursor.replaceChildren(svg("line", { class: "cursor", x1: x, x2: x, y1: up(0), y2: up(1) }));
  figure.lines.forEach((line, place) => {
    if (none(line.y[at])) return;
    cursor.append(styled(svg("circle", { class: "point", cx: x, cy: up(line.y[at]), r: line.thin ? 3 : 4.5 }), { "--hue": hue(line, place) }));
  });
}
