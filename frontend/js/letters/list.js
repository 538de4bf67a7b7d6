// The cards of the dead letters, and what is said around them.
import { find, say } from "../dom.js";
import { count, counted } from "../dashboard/numbers.js";
import { createLetter } from "./letter.js";
import { keyOf } from "./pages.js";

/** @import { Letter } from "../dashboard/types.js" */
/** @import { LetterCard } from "./letter.js" */
/** @import { Letters } from "./pages.js" */

/**
 * @param {object} options
 * @param {HTMLElement} options.element the page's <main>
 * @param {(letter: Letter) => void} options.onRedrive
 */
export function createList({ element, onRedrive }) {
  const list = find(element, "#letters", HTMLElement);
  const skeletons = find(element, "#skeletons", HTMLElement);
  const empty = find(element, "#empty", HTMLElement);
  const emptyTitle = find(empty, "#empty-title", HTMLElement);
  const total = find(element, "#count", HTMLElement);
  const all = find(element, "#redrive-all", HTMLElement);
  const more = find(element, "#more", HTMLElement);
  /** @type {Map<string, LetterCard>} */
  const cards = new Map();

  /** @param {readonly Letter[]} letters @returns {boolean} whether the card with the focus went */
  function drop(letters) {
    const keys = new Set(letters.map(keyOf));
    let lost = false;
    for (const [key, card] of cards)
      if (!keys.has(key)) {
        lost ||= card.hasFocus();
        card.element.remove();
        card.destroy();
        cards.delete(key);
      }
    return lost;
  }

  /** @param {Letter} letter */
  function cardOf(letter) {
    const card = cards.get(keyOf(letter)) ?? createLetter(onRedrive);
    cards.set(keyOf(letter), card);
    return card;
  }

  /** @param {Letters} known @param {string | null} queue */
  function showAround({ letters, next }, queue) {
    const none = letters.length === 0 && next === null;
    empty.hidden = !none;
    say(emptyTitle, queue ? `No dead letters of ${queue}` : "No dead letters");
    const lost = letters.length === 0 && all === document.activeElement;
    all.hidden = letters.length === 0;
    all.textContent = queue ? `Redrive all of ${queue}` : "Redrive all";
    say(
      total,
      next === null
        ? counted(letters.length, "dead letter")
        : `${count(letters.length)} dead letters and more`,
    );
    if (lost) emptyTitle.focus();
  }

  return {
    /**
     * @param {Letters} known
     * @param {{ loaded: boolean, queue: string | null, busy: (letter: Letter) => boolean }} now
     */
    show(known, { loaded, queue, busy }) {
      const lost = drop(known.letters);
      for (const [i, letter] of known.letters.entries()) {
        const card = cardOf(letter);
        card.show(letter, busy(letter));
        if (list.children[i] !== card.element)
          list.insertBefore(card.element, list.children[i] ?? null);
      }
      skeletons.hidden = loaded;
      list.hidden = !loaded;
      more.hidden = known.next === null;
      if (!loaded) return;
      element.setAttribute("aria-busy", "false");
      showAround(known, queue);
      if (lost) this.focus();
    },
    /** The button that had the focus is gone. */
    focus() {
      const [first] = cards.values();
      if (first) first.focus();
      else emptyTitle.focus();
    },
    /** The list could not be had. */
    fail() {
      skeletons.hidden = true;
      element.setAttribute("aria-busy", "false");
    },
  };
}
