// The larger view of a card, and the start of it all.
function viewer(shown) {
  const dialog = byId("viewer");
  let current = null;
  const step = (by) => {
    const cards = shown();
    open(cards[(cards.indexOf(current) + by + cards.length) % cards.length]);
  };
  const button = (text, label, action) => {
    const made = el("button", { type: "button", "aria-label": label }, text);
    made.addEventListener("click", action);
    return made;
  };
  const words = el("div");
  const body = el("div");
  const buttons = el("div", {},
    button("←", "Previous card", () => step(-1)), button("→", "Next card", () => step(1)),
    button("Close", "Close", () => dialog.close()));
  dialog.append(el("div", { class: "bar-top" }, words, buttons), body);
  function open(card) {
    current = card;
    words.replaceChildren(...cardWords(card));
    body.replaceChildren(...[drawing(card), boxTable(card), rawText(card)].filter(Boolean));
    if (!dialog.open) dialog.showModal();
  }
  dialog.addEventListener("keydown", (event) => {
    if (event.key === "ArrowLeft") step(-1);
    if (event.key === "ArrowRight") step(1);
  });
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  return open;
}

function cardWords(card) {
  const { total, format, recall, precision } = card.reward;
  const parts = `reward ${fixed(total)} = format ${fixed(format)} + recall ${fixed(recall)} + precision ${fixed(precision)}`;
  const issues = card.issues.map((issue) => issue.replaceAll("_", " ")).join(", ");
  const wrong = kindWords(card) + (issues ? ` (${issues})` : "");
  const asked = card.query ? [el("p", { class: "note" }, `asked for ${card.query}`)] : [];
  return [el("h3", { id: "viewer-title" }, card.image), ...asked, el("p", { class: "note" }, `${parts} · ${wrong}`)];
}

function boxTable(card) {
  if (!card.boxes.length) return null;
  const rows = card.boxes.map((box) => el("tr", {},
    el("td", {}, el("i", { class: `swatch ${box.state}` }), box.label || "no label"),
    el("td", {}, fixed(box.iou)), el("td", {}, STATES[box.state])));
  const head = el("tr", {}, ...["Answered", "IoU", ""].map((name) => el("th", { scope: "col" }, name)));
  return el("table", {}, el("thead", {}, head), el("tbody", {}, ...rows));
}

function rawText(card) {
  if (!card.text) return null;
  const line = card.line ? `, line ${whole(card.line)} of the answers` : "";
  return el("details", { open: !card.boxes.length }, el("summary", {}, `Raw text${line}`), el("pre", {}, card.text));
}

function choose(place) {
  const set = data.sets[place];
  byId("set").value = String(place);
  [...byId("results").querySelectorAll("tbody tr")].forEach((row, at) => row.classList.toggle("chosen", at === place));
  showFacts(set);
  showCurves(set);
  showClasses(set);
}

showHeader();
showResults(choose);
byId("set").replaceChildren(...data.sets.map((set, place) => el("option", { value: place }, set.name)));
byId("set").addEventListener("change", (event) => choose(Number(event.target.value)));
byId("picker").hidden = data.sets.length === 1;
choose(0);
showGallery();
