import { ApiError } from "../api.js";
import { find, say } from "../dom.js";
import { createPoller } from "../poller.js";
import {
  appendPage,
  differ,
  EMPTY_FEED,
  isActive,
  mergeNewest,
} from "./feed.js";
import { createGrid } from "./grid.js";

/** @import { Api } from "../api.js" */
/** @import { Status } from "../types.js" */
/** @import { Feed } from "./feed.js" */

const PAGE = 24;
/** One request keeps this many cards live; older ones are settled in all but strange cases. */
const LIVE_MAX = 100;

/** @param {unknown} error */
const explain = (error) =>
  error instanceof ApiError && error.status === 0
    ? "Millrace cannot be reached. It may be restarting."
    : error instanceof Error
      ? error.message
      : "Something went wrong.";

/**
 * @param {object} options
 * @param {HTMLElement} options.element the page's <main>
 * @param {Api} options.api
 * @param {Status | null} options.status the filter
 * @param {(flowing: boolean) => void} options.onFlow told whether any work is under way
 */
export function createGallery({ element, api, status: first, onFlow }) {
  const controller = new AbortController();
  const { signal } = controller;
  const grid = createGrid(find(element, "#videos", HTMLElement));
  const skeletons = find(element, "#skeletons", HTMLElement);
  const empty = find(element, "#empty", HTMLElement);
  const emptyFilter = find(element, "#empty-filter", HTMLElement);
  const failure = find(element, "#failure", HTMLElement);
  const failureText = find(element, "#failure-text", HTMLElement);
  const lede = find(element, "#lede", HTMLElement);
  const more = find(element, "#more", HTMLElement);
  const moreButton = find(element, "#more-button", HTMLButtonElement);

  let status = first;
  /** @type {Feed} */
  let feed = EMPTY_FEED;
  let loaded = false;
  /** Grows with every change of filter: answers to an older question are dropped. */
  let question = 0;

  function show() {
    const { videos, cursor } = feed;
    skeletons.hidden = loaded;
    element.setAttribute("aria-busy", String(!loaded));
    empty.hidden = !(loaded && videos.length === 0 && status === null);
    emptyFilter.hidden = !(loaded && videos.length === 0 && status !== null);
    grid.element.hidden = videos.length === 0;
    more.hidden = !(loaded && cursor !== null);
    const working = videos.filter(isActive).length;
    lede.textContent =
      working > 0
        ? `${working} ${working === 1 ? "video is" : "videos are"} on the way. This page keeps up by itself.`
        : "Every video, newest first.";
    onFlow(working > 0);
  }

  const poller = createPoller({
    async poll() {
      const asked = question;
      const limit = Math.min(LIVE_MAX, Math.max(PAGE, feed.videos.length));
      const page = await api.listVideos({ status, limit, signal });
      if (asked !== question) return { active: true, changed: true };
      const before = feed.videos;
      feed = mergeNewest(feed, page);
      grid.show(feed.videos, { live: loaded });
      loaded = true;
      say(failureText, null);
      failure.hidden = true;
      show();
      return {
        active: feed.videos.some(isActive),
        changed: differ(before, feed.videos),
      };
    },
    onError(error) {
      say(failureText, explain(error));
      failure.hidden = false;
      skeletons.hidden = true;
    },
  });

  async function loadMore() {
    if (moreButton.disabled || feed.cursor === null) return;
    const asked = question;
    moreButton.disabled = true;
    try {
      const page = await api.listVideos({
        status,
        limit: PAGE,
        cursor: feed.cursor,
        signal,
      });
      if (asked !== question) return;
      feed = appendPage(feed, page);
      grid.show(feed.videos, { live: false });
      show();
    } catch (error) {
      if (signal.aborted) return;
      say(failureText, explain(error));
      failure.hidden = false;
    } finally {
      moreButton.disabled = false;
    }
  }

  moreButton.addEventListener("click", loadMore, { signal });
  find(element, "#retry", HTMLButtonElement).addEventListener(
    "click",
    () => {
      failure.hidden = true;
      skeletons.hidden = loaded;
      poller.now();
    },
    { signal },
  );
  // The next page is fetched a screen before its place is reached.
  const ahead = new IntersectionObserver(
    ([entry]) => entry?.isIntersecting && void loadMore(),
    { rootMargin: "100% 0px" },
  );
  ahead.observe(more);

  poller.now();
  return {
    element,
    /** @param {Status | null} next */
    filter(next) {
      status = next;
      question += 1;
      feed = EMPTY_FEED;
      loaded = false;
      grid.show([], { live: false });
      show();
      poller.now();
    },
    destroy() {
      controller.abort();
      ahead.disconnect();
      poller.destroy();
      grid.destroy();
    },
  };
}
