"use strict";
// Elements are built, never parsed: what a model wrote only ever becomes text or an attribute of these.
const data = JSON.parse(document.getElementById("data").textContent);
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

const percent = (value) => (value === null || value === undefined ? "–" : (100 * value).toFixed(1));
const whole = (value) => value.toLocaleString("en");
const fixed = (value) => (value === null ? "–" : value.toFixed(2));

function pairs(list, entries) {
  list.replaceChildren(...entries.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
}

function select(label, options, attributes = {}) {
  const choices = options.map(([value, text]) => el("option", { value }, text));
  return el("label", {}, label, el("select", attributes, ...choices));
}
