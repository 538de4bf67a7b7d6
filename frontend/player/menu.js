// A button that opens a list of choices: the ARIA menu button pattern with radio items.
import { build } from "./build.js";
import { icon } from "./icons.js";

/** @import { IconName } from "./icons.js" */

/**
 * @typedef {{ value: number, label: string, note?: string }} Choice
 * @typedef {ReturnType<typeof createMenu>} Menu
 */

/** @type {ReadonlyMap<string, number>} */
const MOVES = new Map([
  ["ArrowDown", 1],
  ["ArrowUp", -1],
]);

let count = 0;

/**
 * @param {object} options
 * @param {string} options.label what is chosen, e.g. "Quality"
 * @param {IconName} [options.iconName] drawn on the button before its text
 * @param {(value: number) => void} options.onChoose
 */
export function createMenu({ label, iconName, onChoose }) {
  const controller = new AbortController();
  const { signal } = controller;
  const id = `mr-menu-${(count += 1)}`;
  const text = build("span", "mr-menu__text");
  const button = build("button", "mr-button mr-menu__button", {
    type: "button",
    "aria-haspopup": "menu",
    "aria-expanded": "false",
    "aria-controls": id,
  });
  if (iconName) button.append(icon(iconName));
  button.append(text);
  const list = build("div", "mr-menu__list", {
    role: "menu",
    id,
    "aria-label": label,
  });
  list.hidden = true;
  const element = build("div", "mr-menu", {}, button, list);
  /** @type {HTMLElement[]} */
  let items = [];
  let selected = NaN;

  /** @param {boolean} open @param {boolean} [refocus] */
  function setOpen(open, refocus = false) {
    list.hidden = !open;
    button.setAttribute("aria-expanded", String(open));
    if (open)
      (items.find((item) => item.ariaChecked === "true") ?? items[0])?.focus();
    else if (refocus) button.focus();
  }

  /** @param {number} by */
  function step(by) {
    const at = items.findIndex((item) => item === document.activeElement);
    items[(at + by + items.length) % items.length]?.focus();
  }

  /** @param {Choice} choice */
  function itemFor({ value, label: words, note }) {
    const item = build(
      "div",
      "mr-menu__item",
      {
        role: "menuitemradio",
        tabindex: "-1",
        "aria-checked": String(value === selected),
      },
      build("span", "", {}, words),
    );
    if (note) item.append(build("span", "mr-menu__note", {}, note));
    const take = () => {
      setOpen(false, true);
      onChoose(value);
    };
    item.addEventListener("click", take, { signal });
    item.addEventListener(
      "keydown",
      (event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        event.stopPropagation();
        take();
      },
      { signal },
    );
    return item;
  }

  button.addEventListener("click", () => setOpen(Boolean(list.hidden)), {
    signal,
  });
  element.addEventListener(
    "keydown",
    (event) => {
      const move = MOVES.get(event.key);
      if (list.hidden) {
        if (!move) return;
        setOpen(true);
      } else if (move) step(move);
      else if (event.key === "Home") items[0]?.focus();
      else if (event.key === "End") items.at(-1)?.focus();
      else if (event.key === "Escape") setOpen(false, true);
      else return;
      event.preventDefault();
      event.stopPropagation();
    },
    { signal },
  );
  element.addEventListener(
    "focusout",
    ({ relatedTarget }) => {
      if (!(relatedTarget instanceof Node && element.contains(relatedTarget)))
        setOpen(false);
    },
    { signal },
  );

  return {
    element,
    isOpen: () => !list.hidden,
    /**
     * @param {Choice[]} choices
     * @param {number} value the chosen one
     * @param {string} buttonText
     */
    show(choices, value, buttonText) {
      selected = value;
      const focused = items.findIndex(
        (item) => item === document.activeElement,
      );
      const before = items;
      items = choices.map(itemFor);
      list.append(...items);
      // Before the old ones go: focus that leaves the menu closes it.
      if (focused >= 0) (items[focused] ?? items[0])?.focus();
      for (const item of before) item.remove();
      text.textContent = buttonText;
      button.setAttribute("aria-label", `${label}: ${buttonText}`);
      button.title = label;
    },
    destroy: () => controller.abort(),
  };
}
