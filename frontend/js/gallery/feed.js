// The list the gallery shows, as pure functions: pages appended at the end, fresh answers put in
// the place of what they cover. Each stretch keeps the cursor it began with, so that any part of a
// long list can be asked for again with one request.

/** @import { Video, VideoPage } from "../types.js" */

/**
 * @typedef {object} Stretch
 * @property {string | null} cursor where it begins; null: at the top
 * @property {readonly Video[]} videos
 *
 * @typedef {object} Feed
 * @property {readonly Stretch[]} stretches in the order of the list
 * @property {string | null} next where what is not shown yet begins; null: nowhere
 */

/** @type {Feed} */
export const EMPTY_FEED = { stretches: [], next: null };

/** @param {Feed} feed */
export const videosOf = (feed) =>
  feed.stretches.flatMap(({ videos }) => videos);

/**
 * @param {readonly Video[]} videos
 * @param {ReadonlySet<string>} ids
 */
const without = (videos, ids) => videos.filter(({ id }) => !ids.has(id));

/** @param {readonly Video[]} videos */
const idsOf = (videos) => new Set(videos.map(({ id }) => id));

/**
 * @param {Feed} feed
 * @param {VideoPage} page what begins at `feed.next`
 * @returns {Feed}
 */
export function appendPage(feed, page) {
  const videos = without(page.videos, idsOf(videosOf(feed)));
  const stretch = { cursor: feed.next, videos };
  const stretches =
    videos.length > 0 ? [...feed.stretches, stretch] : feed.stretches;
  return { stretches, next: page.next_cursor };
}

/**
 * Takes a fresh page. Within the stretch it covers it is the truth: what it does not name is gone.
 * What comes after its last video stays as it was.
 * @param {Feed} feed
 * @param {number} at the stretch whose cursor the page was asked with; 0: the top
 * @param {VideoPage} page
 * @returns {Feed}
 */
export function refresh(feed, at, page) {
  const fresh = idsOf(page.videos);
  const before = feed.stretches
    .slice(0, at)
    .map(({ cursor, videos }) => ({ cursor, videos: without(videos, fresh) }));
  const head = {
    cursor: feed.stretches[at]?.cursor ?? null,
    videos: page.videos,
  };
  const rest =
    page.next_cursor === null
      ? []
      : restOf(feed.stretches.slice(at), page, fresh);
  return {
    stretches: [...before, head, ...rest],
    next: rest.length > 0 ? feed.next : page.next_cursor,
  };
}

/**
 * @param {readonly Stretch[]} old from where the page begins
 * @param {VideoPage} page
 * @param {ReadonlySet<string>} fresh
 */
function restOf(old, page, fresh) {
  const last = page.videos.at(-1)?.id;
  // Where the page ends among the old ones. Not among them: lose none.
  const seam = old.findIndex(({ videos }) =>
    videos.some(({ id }) => id === last),
  );
  return old.flatMap(({ cursor, videos }, index) => {
    const cut =
      index === seam ? videos.findIndex(({ id }) => id === last) + 1 : 0;
    const left = index < seam ? [] : without(videos.slice(cut), fresh);
    // What began in the page begins where the page ends.
    const begins = index === 0 || cut > 0 ? page.next_cursor : cursor;
    return left.length > 0 ? [{ cursor: begins, videos: left }] : [];
  });
}

/**
 * Which request keeps a part of the list live.
 * @param {Feed} feed
 * @param {{ first: number, last: number }} part places in the list, `last` included
 * @param {{ least: number, most: number }} limits of a page
 * @returns {{ at: number, cursor: string | null, limit: number, place: number }} `place`: of its
 *   first video in the list
 */
export function requestFor(feed, { first, last }, { least, most }) {
  let at = 0;
  let place = 0;
  // From the top, if the part is near it: that shows new videos, too.
  if (last >= most)
    for (const { videos } of feed.stretches) {
      if (place + videos.length > first) break;
      place += videos.length;
      at += 1;
    }
  const wanted = last + 1 - place;
  // In steps: the same address again can be answered "not modified".
  const limit = Math.min(
    most,
    Math.max(least, Math.ceil(wanted / least) * least),
  );
  return { at, cursor: feed.stretches[at]?.cursor ?? null, limit, place };
}

/**
 * @param {Feed} feed
 * @param {string} id
 * @param {Partial<Video>} changes
 * @returns {Feed}
 */
export const patch = (feed, id, changes) => ({
  ...feed,
  stretches: feed.stretches.map(({ cursor, videos }) => ({
    cursor,
    videos: videos.map((video) =>
      video.id === id ? { ...video, ...changes } : video,
    ),
  })),
});

/** @param {Video} video */
export const isActive = ({ status }) =>
  status === "queued" || status === "processing";

/**
 * @param {readonly Video[]} before
 * @param {readonly Video[]} after
 */
export const differ = (before, after) =>
  JSON.stringify(before) !== JSON.stringify(after);
