"use strict";
// Elements are built, never parsed: what a model wrote only ever becomes text or an attribute of these.
const data = JSON.parse(document.getElementById("data").textContent);
const models = data.models;
const several = models.length > 1;
const byId = (id) => document.getElementById(id);

function build(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

const el = (tag, attributes = {}, ...children) => build(document.createElement(tag), attributes, children);
const svg = (tag, attributes = {}, ...children) =>
  build(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);

const none = (value) => value === null || value === undefined;
const percent = (value) => (none(value) ? "–" : (100 * value).toFixed(1));
const signed = (value) => (none(value) ? "–" : `${value < 0 ? "−" : "+"}${Math.abs(100 * value).toFixed(1)}`);
const whole = (value) => (none(value) ? "–" : value.toLocaleString("en"));
const fixed = (value) => (none(value) ? "–" : value.toFixed(2));
const range = (ends, show = percent) => (none(ends) ? "" : `[${show(ends[0])}, ${show(ends[1])}]`);

function styled(element, properties) {
  for (const [name, value] of Object.entries(properties)) element.style.setProperty(name, value);
  return element;
}

// Of each model beside others.
function modelHue(place) {
  const first = ["var(--muted)", "var(--accent)", "var(--third)"];
  return first[place] || `hsl(${(place * 137 + 20) % 360} 55% 50%)`;
}
const modelMark = (place) => styled(el("i", { class: "mark", "aria-hidden": "true" }), { "--hue": modelHue(place) });

function pairs(list, entries) {
  list.replaceChildren(...entries.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
}

// Rows of names -> one line for all models, or one for each that differs.
function sharedPairs(list, rowsOfModels) {
  const names = [...new Set(rowsOfModels.flatMap((rows) => Object.keys(rows)))];
  const lines = (name) => {
    const values = rowsOfModels.map((rows) => (none(rows[name]) ? "not known" : rows[name]));
    if (values.every((value) => value === values[0])) return el("span", {}, values[0]);
    return el("span", {}, ...values.map((value, place) => el("span", { class: "line" }, el("b", {}, `${models[place].name}: `), value)));
  };
  pairs(list, names.map((name) => [name, lines(name)]));
}

// A table whose rows become small blocks where the screen is narrow. Cells are [text or element, class].
function table(heads, rows, name) {
  const labels = heads.map((head) => (typeof head === "string" ? head : head.textContent));
  const head = el("tr", {}, ...heads.map((one) => (one instanceof Element ? one : el("th", { scope: "col" }, one))));
  const body = el("tbody", {}, ...rows.map((row) => tableRow(row, labels)));
  return el("table", { class: heads.length > 3 ? "wide" : null, "aria-label": name }, el("thead", {}, head), body);
}

function tableRow(cells, labels) {
  return el("tr", {}, ...cells.map((cell, place) =>
    (place ? el("td", { "data-label": labels[place] }, cell) : el("th", { scope: "row" }, cell))));
}

function select(label, options, attributes = {}) {
  const choices = options.map(([value, text]) => el("option", { value }, text));
  return el("label", {}, label, el("select", attributes, ...choices));
}
