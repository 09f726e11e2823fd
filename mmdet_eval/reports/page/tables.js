// The headline, the paper's kind of table, the facts of a data set, and its classes.
function showHeader() {
  const only = data.sets.length === 1;
  const total = data.average || data.sets[0].metrics;
  byId("eyebrow").textContent = only ? "Evaluation" : `Suite of ${data.sets.length} data sets, averages`;
  byId("title").textContent = data.suite || data.sets[0].name;
  byId("lead").textContent = only ? `Protocol: ${data.sets[0].decides.protocol}` : data.sets.map((set) => set.name).join(", ");
  const figures = data.headline.map((name, place) =>
    el("div", { class: place ? "figure" : "figure first" }, el("b", {}, percent(total[name])), el("span", {}, name)));
  byId("headline").replaceChildren(...figures);
  const warnings = data.sets.flatMap((set) => set.warnings.map((text) => (only ? text : `${set.name}: ${text}`)));
  if (data.leftOut.length) warnings.unshift(`Left out, and not part of the average: ${data.leftOut.join(", ")}.`);
  byId("warnings").replaceChildren(...warnings.map((text) => el("p", { class: "warning" }, text)));
  const versions = Object.entries(data.versions).map(([name, version]) => `${name} ${version}`);
  byId("versions").textContent = versions.join(" · ");
}

function showResults(choose) {
  const names = Object.keys(data.sets[0].metrics);
  const order = [...data.headline, ...names.filter((name) => !data.headline.includes(name))];
  const cells = (metrics) => order.map((name) => el("td", {}, percent(metrics[name])));
  const rows = data.sets.map((set, place) => {
    const name = el("button", { type: "button" }, set.name);
    name.addEventListener("click", () => choose(place));
    return el("tr", {}, el("td", {}, data.sets.length > 1 ? name : set.name), ...cells(set.metrics));
  });
  if (data.average) rows.push(el("tr", { class: "average" }, el("td", {}, "Avg."), ...cells(data.average)));
  const head = el("tr", {}, el("th", {}, "Data set"), ...order.map((name) => el("th", { scope: "col" }, name)));
  byId("results").replaceChildren(el("table", {}, el("thead", {}, head), el("tbody", {}, ...rows)));
}

function showFacts(set) {
  pairs(byId("decides"), Object.entries(set.decides));
  pairs(byId("beside"), Object.entries(set.beside));
  pairs(byId("counts"), Object.entries(set.counts).map(([name, count]) => [name, whole(count)]));
  byId("spread").textContent = `mAP: ${set.spread}.`;
  const labels = set.unknown.map(([label, count]) => `“${label}” ${whole(count)}`).join(", ");
  const more = set.unknownLabels > set.unknown.length ? ` and ${set.unknownLabels - set.unknown.length} more` : "";
  byId("unknown").textContent = labels ? `Labels that name no category: ${labels}${more}.` : "";
}

function showClasses(set) {
  byId("classes-section").hidden = !set.classes.length;
  if (!set.classes.length) return;
  const names = Object.keys(set.classes[0].metrics);
  const columns = [
    ["Class", (one) => one.name], ["Objects", (one) => one.truths], ["Boxes", (one) => one.boxes],
    ...names.map((name) => [name, (one) => one.metrics[name]]),
  ];
  const body = el("tbody");
  const heads = columns.map(([name, value], place) => {
    const button = el("button", { type: "button" }, name);
    const head = el("th", { scope: "col" }, button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === null ? place > 0 : head.getAttribute("aria-sort") === "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      body.replaceChildren(...[...set.classes].sort(byValue(value, down)).map((one) => classRow(one, names)));
    });
    return head;
  });
  body.append(...set.classes.map((one) => classRow(one, names)));
  byId("classes").replaceChildren(el("table", {}, el("thead", {}, el("tr", {}, ...heads)), body));
}

function byValue(value, down) {
  return (a, b) => {
    const [x, y] = [value(a), value(b)];
    if (x === null || y === null) return (x === null) - (y === null); // nothing to measure: last either way
    const order = typeof x === "string" ? x.localeCompare(y) : x - y;
    return down ? -order : order;
  };
}

function classRow(one, names) {
  const cells = names.map((name) => {
    const cell = el("td", {}, percent(one.metrics[name]));
    if (name === "AP" && one.metrics.AP !== null) {
      const bar = el("i", { "aria-hidden": "true" });
      bar.style.setProperty("--share", `${100 * one.metrics.AP}%`);
      cell.className = "bar";
      cell.prepend(bar);
    }
    return cell;
  });
  return el("tr", {}, el("td", {}, one.name), el("td", {}, whole(one.truths)), el("td", {}, whole(one.boxes)), ...cells);
}
