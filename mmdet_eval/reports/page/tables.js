// The data sets, the numbers of one of them, what decides them, and its classes.
function showResults(choose) {
  byId("results-section").hidden = models[0].sets.length === 1;
  if (models[0].sets.length === 1) return;
  const rows = several ? resultsBeside() : resultsAlone();
  const named = rows.map(([name, ...cells], place) => {
    if (place >= models[0].sets.length) return [name, ...cells];
    const button = el("button", { type: "button" }, name);
    button.addEventListener("click", () => choose(place));
    return [button, ...cells];
  });
  const heads = several ? ["Data set", ...models.map((model) => model.name), ...changeHeads()] : ["Data set", ...models[0].headline.map((one) => one.name)];
  const made = table(heads, named, "Data sets");
  made.querySelector("tbody tr:last-child").classList.add("average");
  byId("results").replaceChildren(several ? el("p", { class: "note" }, data.comparison.metric) : "", made);
}

const changeHeads = () => models.slice(1).map((model) => (models.length > 2 ? `${model.name}: difference` : "Difference"));

function resultsAlone() {
  const names = models[0].headline.map((one) => one.name);
  const cell = (value, interval) => el("span", {}, percent(value), el("small", {}, ` ${range(interval)}`));
  const rows = models[0].sets.map((set) => [set.name, ...names.map((name) => cell(set.metrics[name], set.intervals[name]))]);
  const mean = models[0].headline.map((one) => cell(one.value, one.interval));
  const domains = models[0].domains.map((domain) => [domain.name, ...names.map((name) => percent(domain.metrics[name]))]);
  return [...rows, ...domains, ["Avg.", ...mean]];
}

function resultsBeside() {
  return data.comparison.sets.map((column) => [
    column.name, ...column.values.map(percent), ...column.changes.slice(1).map(changeCell)]);
}

const changeCell = (change) => el("span", {}, signed(change.difference), el("small", {}, ` ${range(change.interval, signed)}`));

function showNumbers(sets) {
  const lead = models[0].headline.map((one) => one.name);
  const named = [...new Set(sets.flatMap((set) => Object.keys(set.metrics)))];
  const metrics = [...lead, ...named.filter((name) => !lead.includes(name))].map((name) => {
    const values = sets.map((set) => set.metrics[name]);
    const last = several ? values.slice(1).map((one) => (none(one) || none(values[0]) ? "–" : signed(one - values[0]))) : [range(sets[0].intervals[name])];
    return [name, ...values.map(percent), ...last];
  });
  const heads = several ? ["", ...models.map((model) => model.name), ...changeHeads()] : ["", "", "95% interval"];
  const words = [...new Set(sets.flatMap((set) => Object.keys(set.beside)))].map((name) => [name, ...sets.map((set) => set.beside[name] || "–")]);
  byId("numbers").replaceChildren(table(heads, metrics, "Numbers"), table(heads.slice(0, 1 + sets.length), words, "Numbers beside AP"));
  byId("spread").textContent = sets.map((set, place) => `${several ? `${models[place].name}: ` : ""}mAP's range: ${set.spread}.`).join(" ");
}

function showFacts(sets) {
  sharedPairs(byId("decides"), sets.map((set) => set.decides));
  const names = [...new Set(sets.flatMap((set) => Object.keys(set.counts)))];
  const rows = names.map((name) => [name, ...sets.map((set) => whole(set.counts[name]))]);
  byId("counts").replaceChildren(table(["", ...models.map((model) => (several ? model.name : ""))], rows, "What came in"));
  byId("unknown").replaceChildren(...sets.map((set, place) => unknownLabels(set, several ? `${models[place].name}: ` : "")));
}

function unknownLabels(set, name) {
  const more = set.unknownLabels > set.unknown.length ? ` and ${set.unknownLabels - set.unknown.length} more` : "";
  const labels = set.unknown.flatMap(([label, count], place) => [place ? ", " : "", el("bdi", {}, `“${label}”`), ` ${whole(count)}`]);
  return el("span", { class: "line" }, labels.length ? `${name}Labels that name no category: ` : "", ...labels, labels.length ? `${more}.` : "");
}

function showClasses(sets) {
  byId("classes-section").hidden = !sets[0].classes.length;
  if (!sets[0].classes.length) return;
  const columns = several ? classesBeside(sets) : classesAlone(sets[0]);
  const rows = sets[0].classes.map((one, place) => ({ values: columns.map((column) => column.value(one, place)), cells: columns.map((column) => column.cell(one, place)) }));
  const body = (order) => byId("classes").querySelector("tbody").replaceChildren(...order.map((row) => tableRow(row.cells, columns.map((column) => column.name))));
  const heads = columns.map((column, place) => sortingHead(column.name, place, (down) => body([...rows].sort(byValue(place, down)))));
  byId("classes").replaceChildren(table(heads, rows.map((row) => row.cells), "Classes"));
}

function classesAlone(set) {
  const metrics = Object.keys(set.classes[0].metrics);
  return [
    { name: "Class", value: (one) => one.name, cell: (one) => one.name },
    { name: "Objects", value: (one) => one.truths, cell: (one) => whole(one.truths) },
    { name: "Boxes", value: (one) => one.boxes, cell: (one) => whole(one.boxes) },
    ...metrics.map((name) => ({ name, value: (one) => one.metrics[name], cell: (one) => (name === "AP" ? bar(one.metrics.AP) : percent(one.metrics[name])) })),
  ];
}

function classesBeside(sets) {
  const change = (place, model) => data.comparison.classes[sets[0].name][place].changes[model];
  return [
    { name: "Class", value: (one) => one.name, cell: (one) => one.name },
    { name: "Objects", value: (one) => one.truths, cell: (one) => whole(one.truths) },
    ...models.map((model, number) => ({
      name: `AP, ${model.name}`, value: (_, place) => sets[number].classes[place].metrics.AP, cell: (_, place) => percent(sets[number].classes[place].metrics.AP),
    })),
    ...models.slice(1).map((model, number) => ({
      name: changeHeads()[number], value: (_, place) => change(place, number + 1).difference, cell: (_, place) => changeCell(change(place, number + 1)),
    })),
  ];
}

function bar(value) {
  const share = styled(el("i", { class: "bar", "aria-hidden": "true" }), { "--share": `${100 * (value || 0)}%` });
  return el("span", {}, share, percent(value));
}

function sortingHead(name, place, sort) {
  const button = el("button", { type: "button" }, name);
  const head = el("th", { scope: "col" }, button);
  button.addEventListener("click", () => {
    const down = head.getAttribute("aria-sort") === null ? place > 0 : head.getAttribute("aria-sort") === "ascending";
    head.parentElement.querySelectorAll("[aria-sort]").forEach((other) => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    sort(down);
  });
  return head;
}

function byValue(place, down) {
  return ({ values: a }, { values: b }) => {
    const [x, y] = [a[place], b[place]];
    if (none(x) || none(y)) return none(x) - none(y); // nothing to measure: last either way
    const order = typeof x === "string" ? x.localeCompare(y) : x - y;
    return down ? -order : order;
  };
}
