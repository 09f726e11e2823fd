// What was measured, and the headline numbers with their intervals.
function showHeader() {
  const first = models[0];
  byId("eyebrow").textContent = several ? `${models.length} evaluations of ${first.suite || first.sets[0].name}`
    : first.suite ? `Suite of ${first.sets.length} data sets, averages` : "Evaluation";
  byId("title").textContent = data.title;
  sharedPairs(byId("measured"), models.map((model) => model.measured));
  const warnings = models.flatMap((model) => model.warnings.map((text) => (several ? `${model.name}: ${text}` : text)));
  if (several) warnings.unshift(...data.comparison.warnings.map((text) => `Evaluated differently: ${text}`));
  byId("warnings").replaceChildren(...warnings.map((text) => el("p", { class: "warning" }, text)));
  byId("names").replaceChildren(...(several ? models.map((model, place) => el("li", {}, modelMark(place), model.name)) : []));
  byId("headline").replaceChildren(...first.headline.map(headlineFigure));
  byId("bootstrap").textContent = several ? `${first.bootstrap} ${data.comparison.words}` : first.bootstrap;
  byId("versions").textContent = Object.entries(first.versions).map(([name, version]) => `${name} ${version}`).join(" · ");
}

function headlineFigure(one, place) {
  const values = models.map((model) => model.headline.find((other) => other.name === one.name) || {});
  const rows = values.flatMap((value, model) => [
    el("b", { class: several ? "beside" : "alone" }, several ? modelMark(model) : null, percent(value.value)),
    el("span", { class: "interval" }, range(value.interval)),
    track(value, model),
  ]);
  const changes = several ? data.comparison.headline[one.name] || [] : [];
  const words = changes.map((change, model) => (model ? changeLine(change, model) : null));
  return el("div", { class: place ? "figure" : "figure first" }, el("h3", {}, one.name), ...rows, ...words);
}

// Where the number and its interval lie between 0 and 100.
function track({ value, interval }, model) {
  const line = el("span", { class: "track", "aria-hidden": "true" });
  if (none(value)) return line;
  const [low, high] = interval || [value, value];
  const ends = el("i", { class: "ends" });
  const at = el("i", { class: "at" });
  styled(line, { "--hue": several ? modelHue(model) : "var(--accent)" });
  line.append(styled(ends, { left: `${100 * low}%`, width: `${100 * (high - low)}%` }), styled(at, { left: `${100 * value}%` }));
  return line;
}

function changeLine({ difference, interval }, model) {
  const sure = interval && (interval[0] > 0 || interval[1] < 0);
  const kind = !sure ? "unsure" : difference > 0 ? "better" : "worse";
  const name = models.length > 2 ? `${models[model].name} ` : "";
  return el("p", { class: `change ${kind}` }, name, el("b", {}, signed(difference)), ` ${range(interval, signed)}`,
    interval && !sure ? el("span", {}, " not sure") : null);
}
