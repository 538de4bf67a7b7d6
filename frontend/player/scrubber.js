// The time line: what is buffered, what has been played, and for a growing video what is not there
// yet. A range input underneath gives it keyboard and screen reader for nothing.
import { build, clock, spokenTime } from "./build.js";

/** @import { Still, Storyboard } from "./storyboard.js" */
/** @typedef {ReturnType<typeof createScrubber>} Scrubber */

/** How long the preview stays after a key has moved the position. */
const KEY_PREVIEW_MS = 1200;

/**
 * What hangs over the pointer: the time there, with a picture where there is a storyboard.
 * @param {HTMLElement} bar
 * @param {{ total: () => number, storyboard: () => Storyboard | null }} options
 */
function createPreview(bar, { total, storyboard }) {
  const time = build("span", "mr-scrub__time");
  const picture = build("div", "mr-scrub__picture");
  const element = build(
    "output",
    "mr-scrub__tip",
    { "aria-hidden": "true" },
    picture,
    time,
  );
  picture.hidden = true;

  /** @param {Still | null} still */
  function showPicture(still) {
    picture.hidden = still === null;
    if (!still) return;
    picture.style.width = `${still.width}px`;
    picture.style.height = `${still.height}px`;
    picture.style.backgroundImage = `url(${JSON.stringify(still.url)})`;
    picture.style.backgroundPosition = `${-still.x}px ${-still.y}px`;
  }

  return {
    element,
    /** @param {number} at 0…1 of the whole length */
    show(at) {
      const time_s = at * total();
      time.textContent = clock(time_s);
      showPicture(storyboard()?.at(time_s) ?? null);
      // Inside the bar, however near to its ends.
      const half = element.offsetWidth / 2;
      const width = bar.clientWidth;
      const middle = Math.min(Math.max(at * width, half), width - half);
      element.style.setProperty("--middle", `${middle}px`);
    },
  };
}

/**
 * @param {HTMLVideoElement} video
 * @param {object} options
 * @param {() => number} options.total seconds of the whole video
 * @param {() => number} options.available seconds that can be played by now
 * @param {(time_s: number) => void} options.onSeek
 * @param {() => Storyboard | null} options.storyboard
 */
export function createScrubber(
  video,
  { total, available, onSeek, storyboard },
) {
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
  const element = build(
    "div",
    "mr-scrub",
    {},
    build("div", "mr-scrub__track", {}, missing, buffered, played),
  );
  const preview = createPreview(element, { total, storyboard });
  element.append(preview.element, input);
  let dragging = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let previewTimer;

  function previewForKeys() {
    preview.show(input.valueAsNumber / (total() || 1));
    element.dataset["preview"] = "";
    clearTimeout(previewTimer);
    previewTimer = setTimeout(
      () => delete element.dataset["preview"],
      KEY_PREVIEW_MS,
    );
  }

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
      previewForKeys();
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
      preview.show(Math.min(1, Math.max(0, (clientX - left) / width)));
    },
    { signal },
  );
  for (const event of ["timeupdate", "progress", "durationchange", "seeking"])
    video.addEventListener(event, show, { signal });
  show();
  return {
    element,
    show,
    destroy() {
      controller.abort();
      clearTimeout(previewTimer);
    },
  };
}
