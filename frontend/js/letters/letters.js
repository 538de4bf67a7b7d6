// The dead letters, kept up to date: a fresh first page now and then, further pages as one scrolls.
import { find } from "../dom.js";
import { isRefusal } from "../refusal.js";
import { createFailure } from "../dashboard/failure.js";
import { createPoller } from "../poller.js";
import { createList } from "./list.js";
import { append, keyOf, NONE, refresh } from "./pages.js";
import { createRedriving } from "./redriving.js";

/** @import { Api } from "../api.js" */
/** @import { Announcer } from "../gallery/announcer.js" */
/** @import { Letters } from "./pages.js" */

const PAGE = 24;

/**
 * @param {object} options
 * @param {HTMLElement} options.element the page's <main>
 * @param {Api} options.api
 * @param {() => string | null} options.queue null: all
 * @param {(question: string, text?: string) => Promise<boolean>} options.confirm
 * @param {Announcer} options.announcer
 * @param {(error: unknown) => void} options.onRefused the token is no admin's any more
 */
export function createLetters({
  element,
  api,
  queue,
  confirm,
  announcer,
  onRefused,
}) {
  const controller = new AbortController();
  const { signal } = controller;
  const more = find(element, "#more", HTMLElement);
  const moreButton = find(element, "#more-button", HTMLButtonElement);
  const allButton = find(element, "#redrive-all", HTMLButtonElement);
  const redriving = createRedriving({ api, confirm });
  const list = createList({ element, onRedrive: (letter) => void one(letter) });
  const failure = createFailure(element, () => poller.now());
  /** @type {Letters} */
  let known = NONE;
  let loaded = false;
  let open = false;
  /** Grows with every other question: answers to an older one are dropped. */
  let question = 0;
  /** @type {Date | null} */
  let since = null;
  /** @type {Set<string>} */
  const underWay = new Set();

  const show = () =>
    list.show(known, {
      loaded,
      queue: queue(),
      busy: (letter) => underWay.has(keyOf(letter)),
    });

  /** @param {string | null} cursor */
  const ask = (cursor) =>
    api.deadLetters(
      { queue: queue() ?? "", cursor, limit: PAGE },
      controller.signal,
    );

  const poller = createPoller({
    async poll() {
      const asked = question;
      if (!open) return { active: false, changed: false };
      const page = await ask(null);
      if (asked !== question) return { active: true, changed: true };
      const before = known;
      known = refresh(known, page);
      loaded = true;
      since = new Date();
      failure.recover();
      show();
      watchEnd();
      return {
        active: false,
        changed: JSON.stringify(before) !== JSON.stringify(known),
      };
    },
    onError: fail,
  });

  /** @param {unknown} error */
  function fail(error) {
    if (isRefusal(error)) return onRefused(error);
    if (!open) return;
    failure.show(error, since);
    if (!loaded) list.fail();
  }

  async function loadMore() {
    if (moreButton.disabled || known.next === null || !open) return;
    const asked = question;
    moreButton.disabled = true;
    try {
      const page = await ask(known.next);
      if (asked !== question) return;
      known = append(known, page);
      show();
      watchEnd();
    } catch (error) {
      if (!signal.aborted) fail(error);
    } finally {
      moreButton.disabled = false;
    }
  }

  const ahead = new IntersectionObserver(
    ([entry]) => entry?.isIntersecting && void loadMore(),
    { rootMargin: "100% 0px" },
  );

  /** Tells again whether the end is near: it is only told when that changes. */
  function watchEnd() {
    ahead.unobserve(more);
    ahead.observe(more);
  }

  /** @param {Promise<string | null>} outcome */
  async function tell(outcome) {
    try {
      const words = await outcome;
      if (words === null) return;
      failure.clear();
      announcer.say(words);
    } catch (error) {
      if (isRefusal(error)) return onRefused(error);
      const why = error instanceof Error ? error.message : "";
      failure.refuse(`It could not be redriven. ${why}`);
    } finally {
      poller.now();
    }
  }

  /** @param {import("../dashboard/types.js").Letter} letter */
  async function one(letter) {
    const begin = () => {
      underWay.add(keyOf(letter));
      show();
    };
    await tell(redriving.one(letter, begin));
    underWay.delete(keyOf(letter));
    show();
  }

  async function all() {
    if (allButton.ariaDisabled === "true") return;
    const begin = () => {
      allButton.ariaDisabled = "true";
      allButton.textContent = "Redriving…";
    };
    await tell(redriving.all(queue(), begin));
    allButton.ariaDisabled = "false";
    show();
  }
  allButton.addEventListener("click", () => void all(), { signal });
  moreButton.addEventListener("click", () => void loadMore(), { signal });

  return {
    element,
    open() {
      open = true;
      poller.now();
    },
    close() {
      open = false;
      failure.clear();
    },
    /** Another queue is looked at. */
    again() {
      question += 1;
      known = NONE;
      loaded = false;
      show();
      if (open) poller.now();
    },
    destroy() {
      controller.abort();
      ahead.disconnect();
      poller.destroy();
      failure.destroy();
    },
  };
}
