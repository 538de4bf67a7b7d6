/**
 * Makes an element; the player brings no <template>, so that it can be put on any page.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {string} className
 * @param {Record<string, string>} [attributes]
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function build(tag, className, attributes = {}, ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  for (const [name, value] of Object.entries(attributes))
    element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/**
 * @param {number} seconds
 * @returns {string} "1:05:09", "3:07"
 */
export function clock(seconds) {
  const whole = Number.isFinite(seconds) ? Math.max(0, Math.floor(seconds)) : 0;
  const two = (/** @type {number} */ n) => String(n).padStart(2, "0");
  const rest = `${Math.floor(whole / 60) % 60}:${two(whole % 60)}`;
  return whole >= 3600
    ? `${Math.floor(whole / 3600)}:${rest.padStart(5, "0")}`
    : rest;
}

/**
 * For screen readers: "1 minute 5 seconds".
 * @param {number} seconds
 */
export function spokenTime(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  /** @type {[number, string][]} */
  const units = [
    [Math.floor(whole / 3600), "hour"],
    [Math.floor(whole / 60) % 60, "minute"],
    [whole % 60, "second"],
  ];
  const words = units
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count} ${unit}${count === 1 ? "" : "s"}`);
  return words.join(" ") || "0 seconds";
}
