// The larger view of a group of answers, with their boxes and raw text.
function viewer() {
  const dialog = byId("viewer");
  let current = null;
  let list = [];
  const step = (by) => show(list[(list.indexOf(current) + by + list.length) % list.length]);
  const button = (text, label, action) => {
    const made = el("button", { type: "button", "aria-label": label }, text);
    made.addEventListener("click", action);
    return made;
  };
  const words = el("div");
  const body = el("div", { class: "answers" });
  const buttons = el("div", {},
    button("←", "Previous card", () => step(-1)), button("→", "Next card", () => step(1)),
    button("Close", "Close", () => dialog.close()));
  dialog.append(el("div", { class: "bar-top" }, words, buttons), body);
  function show(group) {
    current = group;
    words.replaceChildren(...titleWords(group[0]));
    body.classList.toggle("beside", group.length > 1);
    body.replaceChildren(...group.map(answerParts));
    if (!dialog.open) dialog.showModal();
  }
  dialog.addEventListener("keydown", (event) => {
    if (event.key === "ArrowLeft") step(-1);
    if (event.key === "ArrowRight") step(1);
  });
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  return (group, others) => {
    list = others;
    show(group);
  };
}

function titleWords(card) {
  const asked = card.query ? [el("p", { class: "note" }, "asked for ", el("bdi", {}, card.query))] : [];
  return [el("h3", { id: "viewer-title" }, el("bdi", {}, card.image)), ...asked];
}

function answerParts(card) {
  const { total, format, recall, precision } = card.reward;
  const parts = `reward ${fixed(total)} = format ${fixed(format)} + recall ${fixed(recall)} + precision ${fixed(precision)}`;
  const issues = card.issues.map((issue) => issue.replaceAll("_", " ")).join(", ");
  const wrong = kindWords(card) + (issues ? ` (${issues})` : "");
  const name = several ? [modelMark(card.model), el("b", {}, models[card.model].name), " · "] : [];
  return el("div", {}, el("p", { class: "note" }, ...name, `${parts} · ${wrong}`), drawing(card), boxTable(card), rawText(card));
}

function boxTable(card) {
  if (!card.boxes.length) return null;
  const rows = card.boxes.map((box) => [
    el("span", {}, el("i", { class: `swatch ${box.state}` }), el("bdi", {}, box.label || "no label")), fixed(box.iou), STATES[box.state]]);
  return table(["Answered", "IoU", ""], rows, "Boxes");
}

function rawText(card) {
  if (!card.text) return null;
  const line = card.line ? `, line ${whole(card.line)} of the answers` : "";
  return el("details", { open: !card.boxes.length }, el("summary", {}, `Raw text${line}`), el("pre", {}, card.text));
}
