// The cards of a long list: only those on the screen and a few beyond are there. Cards that leave
// are used again for those that come, and stay in the order of the list, which is the order in
// which the Tab key and a screen reader go through them.
import { createCard } from "./card.js";
import { columnsIn, placesIn } from "./window.js";

/** @import { Video } from "../types.js" */
/** @import { Actions, Card } from "./card.js" */

/**
 * What has changed: the places on the screen, the videos, or the videos because some came about
 * while the page was open.
 * @typedef {"places" | "videos" | "news"} Change
 */

const LEAST_WIDTH_REM = 17.5;
const SPARE_ROWS = 2;

/**
 * @param {HTMLElement} element the list
 * @param {{ actions: Actions, onMove: () => void }} options `onMove`: other places are shown
 */
export function createGrid(element, { actions, onMove }) {
  const controller = new AbortController();
  const { signal } = controller;
  /** @type {Map<string, Card>} */
  const shown = new Map();
  /** @type {Card[]} */
  const spare = [];
  /** @type {readonly Video[]} */
  let videos = [];
  let whole = false;
  let columns = { columns: 1, width: 0 };
  let gaps = { row: 0, column: 0 };
  let row = 0;
  let places = { first: 0, last: -1 };
  let frame = 0;

  function measure() {
    const style = getComputedStyle(element);
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    gaps = {
      row: parseFloat(style.rowGap),
      column: parseFloat(style.columnGap),
    };
    columns = columnsIn(element.clientWidth, {
      least: Math.min(LEAST_WIDTH_REM * rem, element.clientWidth),
      gap: gaps.column,
    });
    element.style.setProperty("--card-width", `${columns.width}px`);
    const [card] = shown.values();
    row = card ? card.element.offsetHeight + gaps.row : 0;
  }

  /** The one with the focus stays wherever the screen is: it would lose it. */
  function held() {
    const { activeElement } = document;
    if (!activeElement || !element.contains(activeElement)) return -1;
    const id = activeElement.closest(".card")?.getAttribute("data-id");
    return videos.findIndex((video) => video.id === id);
  }

  function wanted() {
    if (row === 0) return [0];
    const { top } = element.getBoundingClientRect();
    places = placesIn({
      count: videos.length,
      columns: columns.columns,
      row,
      top: -top,
      height: innerHeight,
      spare: SPARE_ROWS,
    });
    const { first, last } = places;
    const all = Array.from({ length: last - first + 1 }, (_, n) => first + n);
    const focused = held();
    // Its neighbours stay, too, for the Tab key to go to.
    const kept = focused < 0 ? [] : [focused - 1, focused, focused + 1];
    const chosen = [...new Set([...all, ...kept])].sort((a, b) => a - b);
    return chosen.filter((place) => place >= 0);
  }

  /** @param {Set<string>} ids */
  function removeAllBut(ids) {
    for (const [id, card] of shown) {
      if (ids.has(id)) continue;
      shown.delete(id);
      card.element.remove();
      spare.push(card);
    }
  }

  /**
   * @param {Card} card
   * @param {number} place
   */
  function put({ element: node }, place) {
    const x = (place % columns.columns) * (columns.width + gaps.column);
    const y = Math.floor(place / columns.columns) * row;
    node.style.setProperty("translate", `${x}px ${y}px`);
    node.setAttribute("aria-posinset", String(place + 1));
    node.setAttribute("aria-setsize", String(whole ? videos.length : -1));
  }

  /**
   * @param {Video} video
   * @param {number} place
   * @param {Change} change
   */
  function cardFor(video, place, change) {
    const known = shown.get(video.id);
    if (known && change === "places") return known;
    const card = known ?? spare.pop() ?? createCard(actions);
    shown.set(video.id, card);
    // Called for unchanged videos too: "5 minutes ago" grows older.
    card.show(video, { isNew: !known && change === "news" });
    put(card, place);
    return card;
  }

  /** @param {Change} change */
  function render(change) {
    const chosen = wanted().filter((place) => place < videos.length);
    removeAllBut(new Set(chosen.map((place) => videos[place]?.id ?? "")));
    /** @type {Element | null} */
    let next = element.firstElementChild;
    for (const place of chosen) {
      const video = videos[place];
      if (!video) continue;
      const { element: node } = cardFor(video, place, change);
      if (node === next) next = node.nextElementSibling;
      else element.insertBefore(node, next);
    }
    if (row === 0 && shown.size > 0) {
      measure();
      if (row > 0) render(change);
      return;
    }
    const rows = Math.ceil(videos.length / columns.columns);
    const height = Math.max(0, rows * row - gaps.row);
    element.style.setProperty("block-size", `${height}px`);
  }

  function follow() {
    frame = 0;
    if (row === 0) return;
    const { first, last } = places;
    wanted();
    if (places.first === first && places.last === last) return;
    render("places");
    onMove();
  }

  const soon = () => {
    if (frame === 0) frame = requestAnimationFrame(follow);
  };
  addEventListener("scroll", soon, { passive: true, signal });
  addEventListener("resize", soon, { passive: true, signal });
  const sizes = new ResizeObserver(() => {
    measure();
    render("videos");
  });
  sizes.observe(element);

  return {
    element,
    /** Places in the list that are shown, those just beyond the screen included. */
    places: () => places,
    /**
     * @param {readonly Video[]} next
     * @param {{ live: boolean, whole: boolean }} options `live`: cards that appear now are news;
     *   `whole`: these are all there are
     */
    show(next, options) {
      videos = next;
      whole = options.whole;
      element.hidden = videos.length === 0;
      render(options.live ? "news" : "videos");
    },
    /** @param {number} place moves the focus to the card there, or the last one */
    focus(place) {
      const video = videos[Math.min(place, videos.length - 1)];
      const card = video && shown.get(video.id);
      card?.focus();
      return Boolean(card);
    },
    destroy() {
      controller.abort();
      sizes.disconnect();
      cancelAnimationFrame(frame);
      for (const card of [...shown.values(), ...spare]) card.destroy();
    },
  };
}
