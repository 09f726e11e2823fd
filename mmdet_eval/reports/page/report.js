// The start of it all.
function choose(place) {
  const sets = models.map((model) => model.sets[place]);
  byId("set").value = String(place);
  [...byId("results").querySelectorAll("tbody tr")].forEach((row, at) => row.classList.toggle("chosen", at === place));
  showNumbers(sets);
  showFacts(sets);
  showFigures(sets);
  showClasses(sets);
}

const openGroup = viewer();
showHeader();
showFaults(openGroup);
showResults(choose);
byId("set").replaceChildren(...models[0].sets.map((set, place) => el("option", { value: place }, set.name)));
byId("set").addEventListener("change", (event) => choose(Number(event.target.value)));
byId("picker").hidden = models[0].sets.length === 1;
choose(0);
showGallery(openGroup);
