// The list the gallery shows, as pure functions: pages appended at the end, fresh answers merged
// at the front.

/** @import { Video, VideoPage } from "../types.js" */

/**
 * @typedef {object} Feed
 * @property {readonly Video[]} videos newest first
 * @property {string | null} cursor where the next older page begins
 */

/** @type {Feed} */
export const EMPTY_FEED = { videos: [], cursor: null };

/**
 * @param {Feed} feed
 * @param {VideoPage} page the next older page
 * @returns {Feed}
 */
export function appendPage(feed, page) {
  const known = new Set(feed.videos.map(({ id }) => id));
  return {
    videos: [...feed.videos, ...page.videos.filter(({ id }) => !known.has(id))],
    cursor: page.next_cursor,
  };
}

/**
 * Takes a fresh first page. Within the stretch it covers it is the truth: what it does not name is
 * gone. What is older than its last video stays as it was.
 * @param {Feed} feed
 * @param {VideoPage} page
 * @returns {Feed}
 */
export function mergeNewest(feed, page) {
  const oldest = page.videos.at(-1);
  if (page.next_cursor === null || oldest === undefined)
    return { videos: page.videos, cursor: page.next_cursor };
  const seam = feed.videos.findIndex(({ id }) => id === oldest.id);
  // Not known here: every video of ours may be older or newer than the page; keep the strangers
  // after it rather than lose any.
  const fresh = new Set(page.videos.map(({ id }) => id));
  const older = feed.videos.slice(seam + 1).filter(({ id }) => !fresh.has(id));
  return older.length === 0
    ? { videos: page.videos, cursor: page.next_cursor }
    : { videos: [...page.videos, ...older], cursor: feed.cursor };
}

/** @param {Video} video */
export const isActive = ({ status }) =>
  status === "queued" || status === "processing";

/**
 * @param {readonly Video[]} before
 * @param {readonly Video[]} after
 */
export const differ = (before, after) =>
  JSON.stringify(before) !== JSON.stringify(after);
