// Keeps the cards on the page equal to the list, touching only what changed.
import { createCard } from "./card.js";

/** @import { Video } from "../types.js" */
/** @import { Card } from "./card.js" */

/** @param {HTMLElement} element the list */
export function createGrid(element) {
  /** @type {Map<string, { card: Card, video: Video }>} */
  const shown = new Map();

  /** @param {Set<string>} wanted */
  function removeAllBut(wanted) {
    for (const [id, { card }] of shown) {
      if (wanted.has(id)) continue;
      card.destroy();
      card.element.remove();
      shown.delete(id);
    }
  }

  /**
   * @param {Video} video
   * @param {boolean} isNew
   */
  function cardFor(video, isNew) {
    const entry = shown.get(video.id);
    if (!entry) {
      const card = createCard(video, { isNew });
      shown.set(video.id, { card, video });
      return card;
    }
    // Called for unchanged videos too: "5 minutes ago" grows older.
    entry.card.update(video);
    entry.video = video;
    return entry.card;
  }

  return {
    element,
    /**
     * @param {readonly Video[]} videos
     * @param {{ live: boolean }} options `live`: cards that appear now are news
     */
    show(videos, { live }) {
      removeAllBut(new Set(videos.map(({ id }) => id)));
      /** @type {Element | null} */
      let place = element.firstElementChild;
      for (const video of videos) {
        const { element: node } = cardFor(video, live);
        if (node === place) place = node.nextElementSibling;
        else element.insertBefore(node, place);
      }
    },
    destroy() {
      removeAllBut(new Set());
    },
  };
}
