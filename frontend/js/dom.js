// Typed access to the page. Markup comes from <template>, text goes in by textContent.

/**
 * @template {Element} T
 * @param {ParentNode} root
 * @param {string} selector
 * @param {new (...args: any[]) => T} type
 * @returns {T}
 */
export function find(root, selector, type) {
  const element = root.querySelector(selector);
  if (!(element instanceof type))
    throw new Error(`The page has no ${type.name} at ${selector}`);
  return element;
}

/**
 * Copies the first element of `<template id="…">`.
 * @param {string} id
 * @returns {HTMLElement}
 */
export function stamp(id) {
  const template = find(document, `template#${id}`, HTMLTemplateElement);
  const copy = document.importNode(template.content, true).firstElementChild;
  if (!(copy instanceof HTMLElement))
    throw new Error(`<template id="${id}"> is empty`);
  return copy;
}

/**
 * Sets text and hides the element when there is none.
 * @param {HTMLElement} element
 * @param {string | null} text
 */
export function say(element, text) {
  element.hidden = !text;
  if (element.textContent !== (text ?? "")) element.textContent = text ?? "";
}

/**
 * Sets a 0…1 level for the gauges and bars of the style sheets.
 * @param {HTMLElement} element
 * @param {number} level
 */
export function setLevel(element, level) {
  element.style.setProperty(
    "--level",
    String(Math.min(1, Math.max(0, Number.isFinite(level) ? level : 0))),
  );
}

/**
 * A random id. `crypto.randomUUID` is missing on plain-HTTP sites, which an S3 website is.
 * @returns {string} 32 hexadecimal digits
 */
export const randomId = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, "0"),
  ).join("");
