import { find, say, setLevel, stamp } from "../dom.js";
import { ago, clock, resolution, statusWords } from "../format.js";
import { reasonWords } from "../reasons.js";

/** @import { Video } from "../types.js" */

/** @typedef {ReturnType<typeof createCard>} Card */

/**
 * @param {Video} video
 * @param {{ isNew: boolean }} options `isNew`: it arrived while the page was open
 */
export function createCard(video, { isNew }) {
  const element = stamp("card");
  const link = find(element, ".card__link", HTMLAnchorElement);
  const poster = find(element, ".card__poster", HTMLImageElement);
  const gauge = find(element, ".gauge", HTMLElement);
  const percent = find(element, ".gauge__percent", HTMLElement);
  const reading = find(element, ".gauge__reading", HTMLElement);
  const failed = find(element, ".card__failed", HTMLElement);
  const duration = find(element, ".card__duration", HTMLElement);
  const pixels = find(element, ".card__resolution", HTMLElement);
  const status = find(element, ".status", HTMLElement);
  const when = find(element, ".card__when", HTMLTimeElement);
  const note = find(element, ".card__note", HTMLElement);
  const reason = find(element, ".card__reason", HTMLElement);
  const controller = new AbortController();
  let posterBroken = false;
  element.toggleAttribute("data-new", isNew);

  poster.addEventListener(
    "load",
    () => poster.removeAttribute("data-loading"),
    { signal: controller.signal },
  );
  poster.addEventListener(
    "error",
    () => {
      posterBroken = true;
      poster.hidden = true;
      gauge.hidden = false;
    },
    { signal: controller.signal },
  );

  /** @param {Video} next */
  function showPicture(next) {
    const done = next.status === "completed";
    const lost = next.status === "failed" || next.status === "cancelled";
    const picture = !lost && !posterBroken ? next.poster_url : null;
    if (picture && poster.getAttribute("src") !== picture) {
      poster.setAttribute("data-loading", "");
      poster.src = picture;
    }
    poster.hidden = !picture;
    failed.hidden = !lost;
    // While it is worked on, the gauge lies over the poster as soon as there is one.
    gauge.hidden = lost || (done && Boolean(picture));
    gauge.toggleAttribute("data-over-poster", Boolean(picture) && !done);
    gauge.toggleAttribute("data-still", next.status !== "processing");
    reading.hidden = next.status !== "processing";
    percent.textContent = String(Math.floor(next.percent ?? 0));
    setLevel(gauge, (next.percent ?? 0) / 100);
  }

  /** @param {Video} next */
  function update(next) {
    element.dataset["id"] = next.id;
    element.dataset["status"] = next.status;
    link.href = `watch.html?v=${encodeURIComponent(next.id)}`;
    say(link, next.title || "Untitled");
    showPicture(next);
    say(duration, clock(next.duration_s));
    say(pixels, resolution(next));
    status.dataset["status"] = next.status;
    say(status, statusWords(next));
    say(when, ago(next.created_at));
    if (next.created_at) when.dateTime = next.created_at;
    say(
      note,
      next.status === "processing" && next.playable ? "can be watched" : null,
    );
    say(reason, next.status === "failed" ? reasonWords(next.reason) : null);
  }

  update(video);
  return { element, update, destroy: () => controller.abort() };
}
