// Groups of answers to the same question, one of each model: pictures, filters, order.
const STATES = { right: "right", label: "wrong label", wrong: "not found" };
models.forEach((model, place) => model.cards.forEach((card) => { card.model = place; }));

function drawing(card) {
  const [width, height] = card.size;
  const picture = none(card.picture) ? null : data.thumbnails[card.picture];
  const frame = { x: 0, y: 0, width, height };
  const area = (item) => (item.box[2] - item.box[0]) * (item.box[3] - item.box[1]);
  const boxes = [...card.boxes].sort((a, b) => area(b) - area(a)); // small ones on top, where they can be pointed at
  return svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": spoken(card) },
    picture ? svg("image", { href: picture, ...frame }) : svg("rect", { class: "missing", ...frame }),
    ...card.truths.map((truth) => rectangle(truth, "truth", `${truth.label} (annotated)`)),
    ...boxes.map((box) => rectangle(box, box.state, boxWords(box))));
}

function rectangle(item, kind, words) {
  const [x, y, right, bottom] = item.box;
  return svg("rect", { class: `box ${kind}`, x, y, width: right - x, height: bottom - y }, svg("title", {}, words));
}

const boxWords = (box) => `${box.label || "no label"}, ${none(box.iou) ? "no object" : `IoU ${fixed(box.iou)}`}, ${STATES[box.state]}`;
const kindWords = (card) => card.kinds.map((kind) => data.kinds[kind]).join(", ");
const spoken = (card) => `${card.image}: ${card.truths.length} objects, ${card.boxes.length} boxes answered`;

function pictureButton(group, open) {
  const button = el("button", { type: "button", class: "open", title: "Larger, with the raw text" }, ...group.map(drawing));
  button.addEventListener("click", open);
  return button;
}

const reward = (group) => (several ? group[group.length - 1].reward.total - group[0].reward.total : group[0].reward.total);
const rewardWords = (group) => (several ? `${reward(group) < 0 ? "−" : "+"}${fixed(Math.abs(reward(group)))}` : fixed(reward(group)));

function cardElement(group, open) {
  const [card] = group;
  const sets = models[0].sets;
  const subject = [card.query, sets.length > 1 ? sets[card.set].name : ""].filter(Boolean).join(" · ");
  return el("article", { class: several ? "card beside" : "card" },
    pictureButton(group, open),
    el("h3", {}, el("bdi", { title: card.image }, card.image.split("/").pop()), el("span", {}, rewardWords(group))),
    subject ? el("p", {}, el("bdi", {}, subject)) : null,
    ...group.map((one) => el("p", {}, several ? modelMark(one.model) : null, several ? `${models[one.model].name}: ` : "", kindWords(one))));
}

// One card of each model about the same question; a card that others lack is left out.
function groupsOfCards() {
  const key = (card) => JSON.stringify([card.set, card.image, card.query]);
  const others = models.slice(1).map((model) => new Map(model.cards.map((card) => [key(card), card])));
  return models[0].cards.map((card) => [card, ...others.map((of) => of.get(key(card)))]).filter((group) => !group.includes(undefined));
}

function showGallery(open) {
  const groups = groupsOfCards();
  const shown = () => inOrder(groups.filter((group) => passes(group, form.elements)), form.elements.order.value);
  const elements = new Map(groups.map((group) => [group, cardElement(group, () => open(group, shown()))]));
  byId("choice").textContent = choiceWords(groups);
  const form = byId("filters");
  form.replaceChildren(...filterFields(groups));
  const apply = () => {
    const cards = shown();
    byId("gallery").replaceChildren(...cards.map((group) => elements.get(group)));
    byId("shown").textContent = `${cards.length} of ${groups.length} cards shown`;
  };
  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  apply();
}

function choiceWords(groups) {
  const { answers } = models[0];
  const all = groups.length === answers;
  const choice = several ? `${whole(groups.length)} of ${whole(answers)} questions, beside one another: those that all the pages show. `
    : all ? `All ${whole(answers)} answers. `
      : `${whole(groups.length)} of ${whole(answers)} answers: the best, the worst, the unparseable, and an even choice of the others. `;
  const what = several ? `The number of a card is the difference of ${data.rewardWords}.` : `The number of a card is ${data.rewardWords}.`;
  const missing = groups.flat().some((card) => none(card.picture) || !data.thumbnails[card.picture]);
  return choice + what + (missing ? " Image files that were not found are grey." : "");
}

function filterFields(groups) {
  const count = (kind) => groups.filter((group) => group.some((card) => card.kinds.includes(kind))).length;
  const kinds = Object.entries(data.kinds).map(([kind, words]) => [kind, `${words} (${count(kind)})`]);
  const labels = new Set(models[0].sets.flatMap((set) => set.classes.map((one) => one.name)));
  const used = [...labels].filter((label) => groups.some((group) => hasLabel(group, label))).sort();
  const sets = models[0].sets.map((set, place) => [place, set.name]);
  const orders = several ? [["worst", "most lost first"], ["best", "most gained first"], ["file", "as answered"]]
    : [["worst", "worst first"], ["best", "best first"], ["file", "as answered"]];
  return [
    ...(several ? [slider("Difference from", "from", -3, -3), slider("Difference to", "to", 3, -3)]
      : [slider("Reward from", "from", 0, 0), slider("Reward to", "to", 3, 0)]),
    select("What went wrong", [["", "all"], ...kinds], { name: "kind" }),
    select("Class", [["", "all"], ...used.map((label) => [`=${label}`, label])], { name: "label" }),
    ...(sets.length > 1 ? [select("Data set", [["", "all"], ...sets], { name: "set" })] : []),
    select("Order", orders, { name: "order" }),
  ];
}

function slider(label, name, value, min) {
  const input = el("input", { type: "range", name, min, max: 3, step: 0.05, value });
  const words = el("span", {}, fixed(value));
  input.addEventListener("input", () => { words.textContent = fixed(Number(input.value)); });
  return el("label", {}, label, el("div", { class: "range" }, input, words));
}

const hasLabel = (group, label) => group.some((card) => card.truths.some((t) => t.label === label) || card.boxes.some((b) => b.label === label));

function passes(group, { from, to, kind, label, set }) {
  return reward(group) >= Number(from.value) - 1e-9 && reward(group) <= Number(to.value) + 1e-9
    && (!kind.value || group.some((card) => card.kinds.includes(kind.value)))
    && (!label.value || hasLabel(group, label.value.slice(1)))
    && (!set || !set.value || group[0].set === Number(set.value));
}

function inOrder(groups, order) {
  const placed = ([a], [b]) => a.set - b.set || a.place - b.place;
  const sign = { worst: 1, best: -1, file: 0 }[order];
  return [...groups].sort((a, b) => sign * (reward(a) - reward(b)) || placed(a, b));
}
