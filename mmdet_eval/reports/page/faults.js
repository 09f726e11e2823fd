// What went wrong most: in words, and in three pictures each.
const FAULTS_SHOWN = 5;

function showFaults(open) {
  const keys = [...new Set(models.flatMap((model) => model.faults.map((fault) => fault.key)))];
  const of = (model, key) => model.faults.find((fault) => fault.key === key) || null;
  const most = (key) => Math.max(...models.map((model) => of(model, key)?.count || 0));
  keys.sort((a, b) => most(b) - most(a));
  byId("of-boxes").textContent = [...new Set(models.map((model) => model.ofBoxes))].join(" ");
  byId("faults").replaceChildren(...keys.slice(0, FAULTS_SHOWN).map((key) =>
    faultItem(key, models.map((model) => of(model, key)), open)));
  byId("other-faults").replaceChildren(...keys.slice(FAULTS_SHOWN).map((key) =>
    el("li", {}, el("b", {}, `${data.causes[key].title}: `), ...joined(models.map((model) => of(model, key))))));
  const counted = models.every((model) => model.sets.every((set) => "exact count" in set.metrics));
  const nothing = counted ? "Only numbers were asked for: see the counts below." : "Nothing: every object has its box, and there is no other box.";
  if (!keys.length) byId("faults").replaceWith(el("p", {}, nothing));
}

function joined(faults) {
  return faults.map((fault, place) => el("span", {}, place ? " " : "", several ? `${models[place].name}: ` : "", fault ? fault.words : "none."));
}

function faultItem(key, faults, open) {
  const advice = faults.map((fault) => fault?.advice).find(Boolean);
  const parts = faults.map((fault, model) => el("div", { class: "of-model" },
    el("p", { class: "words" }, several ? modelMark(model) : null, several ? el("b", {}, `${models[model].name}: `) : null, fault ? fault.words : "none."),
    styled(el("span", { class: "share", "aria-hidden": "true" }), { "--share": `${100 * (fault?.share || 0)}%`, "--hue": several ? modelHue(model) : "var(--accent)" }),
    fault ? trio(fault, model, open) : null));
  return el("li", {},
    el("h3", {}, data.causes[key].title),
    el("p", { class: "meaning" }, data.causes[key].meaning, advice ? ` ${advice}` : ""),
    el("div", { class: several ? "models" : "" }, ...parts));
}

function trio(fault, model, open) {
  const groups = fault.cards.map((place) => [models[model].cards[place]]);
  return el("div", { class: "trio" }, ...groups.map((group) => pictureButton(group, () => open(group, groups))));
}
