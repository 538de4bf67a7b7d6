// Tells a screen reader what has become of the list: what was asked for at once, and what happened
// by itself gathered into one sentence now and then, however much of it there is.

/** @import { Video } from "../types.js" */

/** @typedef {ReturnType<typeof createAnnouncer>} Announcer */
/** @typedef {{ arrived: number, completed: number, failed: number }} News */

/** What is overtaken within a moment is not said. */
const REST_MS = 400;
const BETWEEN_NEWS_MS = 10_000;

/** @type {News} */
const NONE = { arrived: 0, completed: 0, failed: 0 };

/**
 * @param {readonly Video[]} before
 * @param {readonly Video[]} after a fresh page
 * @param {boolean} fromTop whether a stranger in it is a new video
 * @returns {News}
 */
export function newsOf(before, after, fromTop) {
  const known = new Map(before.map(({ id, status }) => [id, status]));
  const became = (/** @type {string} */ end) =>
    after.filter(
      ({ id, status }) =>
        status === end && (known.get(id) ?? status) !== status,
    ).length;
  const arrived = after.filter(({ id }) => !known.has(id)).length;
  return {
    arrived: fromTop ? arrived : 0,
    completed: became("completed"),
    failed: became("failed"),
  };
}

/** @param {News} news @returns {string} "2 new videos, 1 completed." */
export function newsInWords({ arrived, completed, failed }) {
  const parts = [
    arrived > 0 && `${arrived} new ${arrived === 1 ? "video" : "videos"}`,
    completed > 0 && `${completed} completed`,
    failed > 0 && `${failed} failed`,
  ].filter(Boolean);
  return parts.length > 0 ? `${parts.join(", ")}.` : "";
}

/** @param {{ textContent: string | null }} element a polite live region */
export function createAnnouncer(element) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let answer;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let later;
  let news = NONE;
  let said_ms = -Infinity;

  /** @param {string} text */
  function put(text) {
    // The same words again are read only if they were gone in between.
    element.textContent = "";
    element.textContent = text;
  }

  function tell() {
    later = undefined;
    said_ms = Date.now();
    put(newsInWords(news));
    news = NONE;
  }

  return {
    /** @param {string} text what somebody waits for */
    say(text) {
      clearTimeout(answer);
      answer = setTimeout(() => put(text), REST_MS);
    },

    /** @param {News} more */
    gather({ arrived, completed, failed }) {
      if (arrived + completed + failed === 0) return;
      news = {
        arrived: news.arrived + arrived,
        completed: news.completed + completed,
        failed: news.failed + failed,
      };
      const wait_ms = said_ms + BETWEEN_NEWS_MS - Date.now();
      later ??= setTimeout(tell, Math.max(REST_MS, wait_ms));
    },

    destroy() {
      clearTimeout(answer);
      clearTimeout(later);
    },
  };
}
