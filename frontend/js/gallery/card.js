import { find, say, setLevel, stamp } from "../dom.js";
import { ago, clock, resolution, statusWords } from "../format.js";
import { reasonWords } from "../reasons.js";
import { createPreview } from "./preview.js";

/** @import { Video } from "../types.js" */

/** @typedef {ReturnType<typeof createCard>} Card */
/** @typedef {"delete" | "cancel" | "retry"} Deed */

/**
 * @typedef {object} Actions
 * @property {(video: Video) => boolean} allowed whether whoever looks may do anything to it now
 * @property {(deed: Deed, video: Video) => void} run
 */

/** @type {Record<Deed, { word: string, when: (video: Video) => boolean }>} */
const DEEDS = {
  cancel: {
    word: "Cancel",
    when: ({ status }) => status === "queued" || status === "processing",
  },
  retry: {
    word: "Try again:",
    when: ({ status }) => status === "failed" || status === "cancelled",
  },
  delete: { word: "Delete", when: ({ status }) => status !== "deleting" },
};

/** @param {Video} video */
const titleOf = (video) => video.title || "Untitled";

/**
 * @param {HTMLElement} element the card
 * @param {Actions} actions
 * @param {AbortSignal} signal
 */
function createTools(element, actions, signal) {
  const tools = find(element, ".card__tools", HTMLElement);
  const trace = find(tools, ".card__trace", HTMLAnchorElement);
  /** @type {Video | null} */
  let current = null;
  const buttons = /** @type {Deed[]} */ (Object.keys(DEEDS)).map((deed) => {
    const button = find(tools, `[data-deed="${deed}"]`, HTMLButtonElement);
    const run = () => current && actions.run(deed, current);
    button.addEventListener("click", run, { signal });
    return { deed, button };
  });
  return {
    /** @param {Video} video */
    show(video) {
      current = video;
      tools.hidden = !actions.allowed(video);
      trace.href = `trace.html?v=${encodeURIComponent(video.id)}`;
      trace.setAttribute("aria-label", `Trace of ${titleOf(video)}`);
      for (const { deed, button } of buttons) {
        button.hidden = !DEEDS[deed].when(video);
        button.setAttribute(
          "aria-label",
          `${DEEDS[deed].word} ${titleOf(video)}`,
        );
      }
    },
  };
}

/**
 * @param {HTMLElement} element the card
 * @param {AbortSignal} signal
 */
function createPicture(element, signal) {
  const poster = find(element, ".card__poster", HTMLImageElement);
  const gauge = find(element, ".gauge", HTMLElement);
  const percent = find(element, ".gauge__percent", HTMLElement);
  const reading = find(element, ".gauge__reading", HTMLElement);
  const lost = find(element, ".card__failed", HTMLElement);
  const reason = find(element, ".card__reason", HTMLElement);
  /** The address that cannot be loaded. */
  let broken = "";

  /** @param {Video} video */
  function show(video) {
    const over = video.status === "failed" || video.status === "cancelled";
    const url = over || video.poster_url === broken ? null : video.poster_url;
    if (url && poster.getAttribute("src") !== url) {
      poster.setAttribute("data-loading", "");
      poster.src = url;
    }
    const done = video.status === "completed";
    poster.hidden = !url;
    lost.hidden = !over;
    say(reason, video.status === "failed" ? reasonWords(video.reason) : null);
    // While it is worked on, the gauge lies over the poster as soon as there is one.
    gauge.hidden = over || (done && Boolean(url));
    gauge.toggleAttribute("data-over-poster", Boolean(url) && !done);
    gauge.toggleAttribute("data-still", video.status !== "processing");
    reading.hidden = video.status !== "processing";
    percent.textContent = String(Math.floor(video.percent ?? 0));
    setLevel(gauge, (video.percent ?? 0) / 100);
  }

  const loaded = () => poster.removeAttribute("data-loading");
  const failed = () => {
    broken = poster.getAttribute("src") ?? "";
    poster.hidden = true;
    gauge.hidden = !lost.hidden;
  };
  poster.addEventListener("load", loaded, { signal });
  poster.addEventListener("error", failed, { signal });
  return { show };
}

/** @param {HTMLElement} element the card */
function createWords(element) {
  const link = find(element, ".card__link", HTMLAnchorElement);
  const duration = find(element, ".card__duration", HTMLElement);
  const pixels = find(element, ".card__resolution", HTMLElement);
  const status = find(element, ".status", HTMLElement);
  const when = find(element, ".card__when", HTMLTimeElement);
  const note = find(element, ".card__note", HTMLElement);
  return {
    link,
    /** @param {Video} video */
    show(video) {
      link.href = `watch.html?v=${encodeURIComponent(video.id)}`;
      say(link, titleOf(video));
      link.title = titleOf(video);
      say(duration, clock(video.duration_s));
      say(pixels, resolution(video));
      status.dataset["status"] = video.status;
      say(status, statusWords(video));
      say(when, ago(video.created_at));
      if (video.created_at) when.dateTime = video.created_at;
      const early = video.status === "processing" && video.playable;
      say(note, early ? "can be watched" : null);
    },
  };
}

/** @param {Actions} actions */
export function createCard(actions) {
  const element = stamp("card");
  const controller = new AbortController();
  const { signal } = controller;
  const picture = createPicture(element, signal);
  const words = createWords(element);
  const tools = createTools(element, actions, signal);
  const frame = find(element, ".card__frame", HTMLElement);
  const preview = createPreview(frame);
  /** @type {Video | null} */
  let shown = null;

  const start = () => shown && preview.start(shown);
  element.addEventListener(
    "pointerenter",
    ({ pointerType }) => pointerType === "mouse" && start(),
    { signal },
  );
  element.addEventListener("pointerleave", preview.stop, { signal });
  words.link.addEventListener(
    "focus",
    () => words.link.matches(":focus-visible") && start(),
    { signal },
  );
  words.link.addEventListener("blur", preview.stop, { signal });

  return {
    element,
    focus: () => words.link.focus(),
    /**
     * The same card may show one video after another.
     * @param {Video} video
     * @param {{ isNew: boolean }} options `isNew`: it arrived while the page was open
     */
    show(video, { isNew }) {
      if (shown?.id !== video.id) {
        preview.stop();
        element.toggleAttribute("data-new", isNew);
      }
      const same = JSON.stringify(shown) === JSON.stringify(video);
      shown = video;
      element.dataset["id"] = video.id;
      element.dataset["status"] = video.status;
      words.show(video);
      tools.show(video);
      if (!same) picture.show(video);
    },
    destroy() {
      preview.stop();
      controller.abort();
    },
  };
}
