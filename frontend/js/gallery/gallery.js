import { find } from "../dom.js";
import { createPoller } from "../poller.js";
import { explain } from "../trouble.js";
import { newsOf } from "./announcer.js";
import { createDeeds } from "./deeds.js";
import {
  appendPage,
  differ,
  EMPTY_FEED,
  isActive,
  patch,
  refresh,
  requestFor,
  videosOf,
} from "./feed.js";
import { createGrid } from "./grid.js";
import { isFiltered, parametersOf } from "./query.js";
import { createStates } from "./states.js";

/** @import { Api } from "../api.js" */
/** @import { Announcer } from "./announcer.js" */
/** @import { Actions } from "./card.js" */
/** @import { Feed } from "./feed.js" */
/** @import { Query } from "./query.js" */

/** Videos in a page; of those that keep the list live, in steps of this. */
const PAGE = 48;
const MOST = 100;
/** Pages without a video of those asked for, one after the other, before a person decides. */
const EMPTY_PAGES = 8;
/** While the reader is far down, every so many requests look for what is new at the top. */
const TOP_EVERY = 4;

/**
 * @param {object} options
 * @param {HTMLElement} options.element the page's <main>
 * @param {Api} options.api
 * @param {Query} options.query
 * @param {() => boolean} options.isAdmin whether everything may be seen and done
 * @param {(question: string) => Promise<boolean>} options.confirm
 * @param {Announcer} options.announcer
 * @param {(flowing: boolean) => void} options.onFlow told whether any work is under way
 */
export function createGallery({
  element,
  api,
  query: first,
  isAdmin,
  confirm,
  announcer,
  onFlow,
}) {
  const controller = new AbortController();
  const { signal } = controller;
  const states = createStates(element);
  const more = find(element, "#more", HTMLElement);
  const moreButton = find(element, "#more-button", HTMLButtonElement);

  let query = first;
  /** @type {Feed} */
  let feed = EMPTY_FEED;
  let loaded = false;
  /** Grows with every other question: answers to an older one are dropped. */
  let question = 0;
  let polls = 0;
  let emptyPages = 0;

  const deeds = createDeeds({
    api,
    onChange: () => show(true),
    onSettled(id, changes) {
      feed = patch(feed, id, changes);
      poller.now();
    },
    onDone: announcer.say,
    onRefused: (text) => states.refuse(text),
  });

  /** @type {Actions} */
  const actions = {
    allowed: ({ id }) => isAdmin() && !deeds.isUnderWay(id),
    async run(deed, video) {
      const place = videosOf(feed).findIndex(({ id }) => id === video.id);
      const title = video.title || "Untitled";
      if (deed === "delete" && !(await confirm(`Delete “${title}”?`))) return;
      const done = deeds.run(deed, video);
      // The button that had the focus is gone.
      if (!grid.focus(place)) states.focus();
      await done;
    },
  };
  const grid = createGrid(find(element, "#videos", HTMLElement), {
    actions,
    onMove: () => poller.look(),
  });

  /** @param {boolean} live */
  function show(live) {
    const all = videosOf(feed);
    const videos = deeds.apply(all);
    grid.show(videos, { live, whole: feed.next === null });
    more.hidden = !(loaded && feed.next !== null);
    const active = all.filter(isActive).length;
    states.show({
      loaded,
      active,
      query,
      empty: loaded && videos.length === 0 && feed.next === null,
    });
    onFlow(active > 0);
  }

  const ask = (
    /** @type {{ limit: number, cursor: string | null }} */ { limit, cursor },
  ) =>
    api.listVideos({
      ...parametersOf(query),
      limit,
      cursor,
      signal,
      authorized: isAdmin(),
    });

  function part() {
    polls += 1;
    const top = { first: 0, last: 0 };
    return loaded && polls % TOP_EVERY ? grid.places() : top;
  }

  async function poll() {
    const asked = question;
    const wanted = requestFor(feed, part(), { least: PAGE, most: MOST });
    const page = await ask(wanted);
    if (asked !== question) return { active: true, changed: true };
    const { place } = wanted;
    const before = videosOf(feed).slice(place, place + page.videos.length);
    const fromTop = wanted.at === 0 && query.sort === "newest";
    if (loaded) announcer.gather(newsOf(videosOf(feed), page.videos, fromTop));
    feed = refresh(feed, wanted.at, page);
    const isFirst = !loaded;
    loaded = true;
    states.recover();
    show(!isFirst);
    if (isFirst) sayHowMany();
    watchEnd();
    return {
      active: videosOf(feed).some(isActive),
      changed: differ(before, page.videos),
    };
  }

  function sayHowMany() {
    if (!isFiltered(query)) return;
    const count = videosOf(feed).length;
    const rest = feed.next === null ? "" : " and more";
    announcer.say(
      count === 0 && !rest ? "Nothing found." : `${count} found${rest}.`,
    );
  }

  const poller = createPoller({
    poll,
    onError(error) {
      states.fail(explain(error), { loaded });
    },
  });

  async function loadMore() {
    if (moreButton.disabled || feed.next === null) return;
    const asked = question;
    moreButton.disabled = true;
    try {
      const page = await ask({ limit: MOST, cursor: feed.next });
      if (asked !== question) return;
      emptyPages = page.videos.length === 0 ? emptyPages + 1 : 0;
      feed = appendPage(feed, page);
      show(false);
    } catch (error) {
      if (!signal.aborted) states.fail(explain(error), { loaded });
      return;
    } finally {
      moreButton.disabled = false;
    }
    if (emptyPages < EMPTY_PAGES) watchEnd();
  }

  // The next page is fetched two screens before its place is reached.
  const ahead = new IntersectionObserver(
    ([entry]) => entry?.isIntersecting && void loadMore(),
    { rootMargin: "200% 0px" },
  );

  /** Tells again whether the end is near: it is only told when that changes. */
  function watchEnd() {
    ahead.unobserve(more);
    ahead.observe(more);
  }

  const byHand = () => {
    emptyPages = 0;
    void loadMore();
  };
  moreButton.addEventListener("click", byHand, { signal });
  const again = () => {
    states.recover();
    states.show({ loaded, active: 0, query, empty: false });
    poller.now();
  };
  find(element, "#retry", HTMLButtonElement).addEventListener("click", again, {
    signal,
  });
  addEventListener("online", again, { signal });
  addEventListener("offline", () => states.fail(explain(null), { loaded }), {
    signal,
  });

  poller.now();
  return {
    element,
    /** @param {Query} next */
    ask(next) {
      query = next;
      question += 1;
      polls = 0;
      emptyPages = 0;
      feed = EMPTY_FEED;
      loaded = false;
      ahead.unobserve(more);
      show(false);
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
