// The time line: what is buffered, what has been played, and for a growing video what is not there
// yet. A range input underneath gives it keyboard and screen reader for nothing.
import { build, clock, spokenTime } from "./build.js";

/** @typedef {ReturnType<typeof createScrubber>} Scrubber */

/**
 * @param {HTMLVideoElement} video
 * @param {{ total: () => number, available: () => number, onSeek: (time_s: number) => void }} options
 *   `total`: seconds of the whole video; `available`: seconds that can be played by now
 */
export function createScrubber(video, { total, available, onSeek }) {
  const controller = new AbortController();
  const { signal } = controller;
  const input = build("input", "mr-scrub__input", {
    type: "range",
    min: "0",
    max: "0",
    step: "any",
    value: "0",
    "aria-label": "Position",
  });
  const missing = build("div", "mr-scrub__missing");
  const buffered = build("div", "mr-scrub__buffered");
  const played = build("div", "mr-scrub__played");
  const tip = build("output", "mr-scrub__tip", { "aria-hidden": "true" });
  const element = build(
    "div",
    "mr-scrub",
    {},
    build("div", "mr-scrub__track", {}, missing, buffered, played),
    tip,
    input,
  );
  let dragging = false;

  /** @param {HTMLElement} part @param {number} from_s @param {number} to_s */
  function place(part, from_s, to_s) {
    const whole = total() || 1;
    part.style.setProperty("--from", String(Math.min(1, from_s / whole)));
    part.style.setProperty("--to", String(Math.min(1, to_s / whole)));
  }

  function bufferedUntil() {
    const { buffered: ranges, currentTime } = video;
    for (let i = 0; i < ranges.length; i += 1)
      if (ranges.start(i) <= currentTime + 0.1 && currentTime <= ranges.end(i))
        return ranges.end(i);
    return currentTime;
  }

  function show() {
    const time_s = dragging ? input.valueAsNumber : video.currentTime;
    input.max = String(total());
    if (!dragging) input.value = String(time_s);
    input.setAttribute(
      "aria-valuetext",
      `${spokenTime(time_s)} of ${spokenTime(total())}`,
    );
    place(played, 0, time_s);
    place(buffered, time_s, bufferedUntil());
    place(missing, available(), total());
    missing.hidden = available() >= total() - 0.5;
  }

  input.addEventListener(
    "input",
    () => {
      dragging = true;
      show();
    },
    { signal },
  );
  input.addEventListener(
    "change",
    () => {
      dragging = false;
      onSeek(input.valueAsNumber);
    },
    { signal },
  );
  element.addEventListener(
    "pointermove",
    ({ clientX }) => {
      const { left, width } = element.getBoundingClientRect();
      const at = Math.min(1, Math.max(0, (clientX - left) / width));
      tip.textContent = clock(at * total());
      tip.style.setProperty("--at", String(at));
    },
    { signal },
  );
  for (const event of ["timeupdate", "progress", "durationchange", "seeking"])
    video.addEventListener(event, show, { signal });
  show();
  return { element, show, destroy: () => controller.abort() };
}
