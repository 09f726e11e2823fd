// Cards of answers: the image, what was annotated and what was answered over it; filters, order, and a larger view.
const STATES = { right: "right", label: "wrong label", wrong: "not found" };

function drawing(card) {
  const [width, height] = card.size;
  const picture = card.picture === null ? null : data.thumbnails[card.picture];
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

const boxWords = (box) => `${box.label || "no label"}, ${box.iou === null ? "no object" : `IoU ${fixed(box.iou)}`}, ${STATES[box.state]}`;
const kindWords = (card) => card.kinds.map((kind) => data.kinds[kind]).join(", ");
const spoken = (card) => `${card.image}: ${card.truths.length} objects, ${card.boxes.length} boxes answered`;

function cardElement(card, open) {
  const button = el("button", { type: "button", class: "open", title: "Larger, with the raw text" }, drawing(card));
  button.addEventListener("click", () => open(card));
  const subject = [card.query, data.sets.length > 1 ? data.sets[card.set].name : ""].filter(Boolean).join(" · ");
  return el("article", { class: "card" },
    button,
    el("h3", {}, el("span", { title: card.image }, card.image.split("/").pop()), el("span", {}, fixed(card.reward.total))),
    subject ? el("p", {}, subject) : null,
    el("p", {}, kindWords(card)));
}

function showGallery() {
  const open = viewer(() => shown());
  const cards = data.cards.map((card) => ({ card, element: cardElement(card, open) }));
  const shown = () => [...byId("gallery").children].filter((e) => !e.hidden).map((e) => cards.find((c) => c.element === e).card);
  const all = data.cards.length === data.answers;
  const choice = all ? `All ${whole(data.answers)} answers.` : `${whole(data.cards.length)} of ${whole(data.answers)} answers: ` +
    "the best, the worst, the unparseable, and an even choice of those between.";
  const missing = data.cards.some((card) => card.picture === null || !data.thumbnails[card.picture]);
  byId("choice").textContent = `${choice} The number of a card is ${data.rewardWords}.` +
    (missing ? " Image files that were not found are grey." : "");
  const form = byId("filters");
  form.replaceChildren(...filterFields());
  const apply = () => {
    cards.forEach((item) => { item.element.hidden = !passes(item.card, form.elements); });
    byId("gallery").replaceChildren(...inOrder(cards, form.elements.order.value).map((item) => item.element));
    const count = cards.filter((item) => !item.element.hidden).length;
    byId("shown").textContent = `${count} of ${cards.length} cards shown`;
  };
  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  apply();
}

function filterFields() {
  const kinds = Object.entries(data.kinds).map(([kind, words]) => [kind, `${words} (${data.cards.filter((c) => c.kinds.includes(kind)).length})`]);
  const labels = new Set(data.sets.flatMap((set) => set.classes.map((one) => one.name)));
  const used = [...labels].filter((label) => data.cards.some((card) => hasLabel(card, label))).sort();
  const sets = data.sets.map((set, place) => [place, set.name]);
  return [
    slider("Reward from", "from", 0), slider("Reward to", "to", 3),
    select("What went wrong", [["", "all"], ...kinds], { name: "kind" }),
    select("Class", [["", "all"], ...used.map((label) => [`=${label}`, label])], { name: "label" }),
    ...(sets.length > 1 ? [select("Data set", [["", "all"], ...sets], { name: "set" })] : []),
    select("Order", [["worst", "worst first"], ["best", "best first"], ["file", "as answered"]], { name: "order" }),
  ];
}

function slider(label, name, value) {
  const input = el("input", { type: "range", name, min: 0, max: 3, step: 0.05, value });
  const words = el("span", {}, fixed(value));
  input.addEventListener("input", () => { words.textContent = fixed(Number(input.value)); });
  return el("label", {}, label, el("div", { class: "range" }, input, words));
}

const hasLabel = (card, label) => card.truths.some((t) => t.label === label) || card.boxes.some((b) => b.label === label);

function passes(card, { from, to, kind, label, set }) {
  const reward = card.reward.total;
  return reward >= Number(from.value) - 1e-9 && reward <= Number(to.value) + 1e-9
    && (!kind.value || card.kinds.includes(kind.value))
    && (!label.value || hasLabel(card, label.value.slice(1)))
    && (!set || !set.value || card.set === Number(set.value));
}

function inOrder(cards, order) {
  const placed = (a, b) => a.card.set - b.card.set || a.card.place - b.card.place;
  const sign = { worst: 1, best: -1, file: 0 }[order];
  return [...cards].sort((a, b) => sign * (a.card.reward.total - b.card.reward.total) || placed(a, b));
}
