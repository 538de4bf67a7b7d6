// What a video looks like inside: pictures of its storyboard, one after the other, while the
// pointer or the focus rests on its card. Nothing of it is loaded before, and nothing moves for
// those who asked for less motion.
import { createStoryboard } from "../../player/storyboard.js";

/** @import { Still, Storyboard } from "../../player/storyboard.js" */
/** @import { Video } from "../types.js" */

/** A pointer on its way across the page wants nothing. */
const REST_MS = 250;
const STILL_MS = 500;
const STILLS = 12;

/**
 * @param {HTMLElement} stage where the pictures go
 */
export function createPreview(stage) {
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const picture = document.createElement("div");
  picture.className = "card__still";
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  /** @type {Storyboard | null} */
  let board = null;
  /** @type {Map<string, HTMLImageElement>} */
  const sheets = new Map();
  let turn = 0;

  /** @param {Still} still @param {HTMLImageElement} sheet */
  function paint({ x, y, width, height }, sheet) {
    const share = (/** @type {number} */ part, /** @type {number} */ room) =>
      room > 0 ? (100 * part) / room : 0;
    const { naturalWidth: w, naturalHeight: h } = sheet;
    const { style } = picture;
    style.setProperty("background-image", `url("${sheet.src}")`);
    style.setProperty(
      "background-size",
      `${share(w, width)}% ${share(h, height)}%`,
    );
    style.setProperty(
      "background-position",
      `${share(x, w - width)}% ${share(y, h - height)}%`,
    );
    style.setProperty("aspect-ratio", `${width} / ${height}`);
    picture.toggleAttribute("data-wide", width * 9 > height * 16);
    if (!picture.isConnected) stage.append(picture);
  }

  /** @param {string} url */
  function sheetAt(url) {
    const known = sheets.get(url);
    if (known) return known;
    const sheet = new Image();
    sheet.src = url;
    sheets.set(url, sheet);
    return sheet;
  }

  /** @param {number} duration_s */
  function step(duration_s) {
    const still = board?.at(((turn % STILLS) + 0.5) * (duration_s / STILLS));
    if (still) {
      const sheet = sheetAt(still.url);
      if (sheet.complete && sheet.naturalWidth > 0) {
        paint(still, sheet);
        stage.style.setProperty(
          "--turn",
          String((turn % STILLS) / (STILLS - 1)),
        );
        turn += 1;
      }
    }
    // Sooner while it is being loaded.
    timer = setTimeout(() => step(duration_s), turn > 0 ? STILL_MS : 60);
  }

  function stop() {
    clearTimeout(timer);
    board?.destroy();
    board = null;
    sheets.clear();
    picture.remove();
    stage.removeAttribute("data-previewing");
    turn = 0;
  }

  return {
    /** @param {Video} video */
    start(video) {
      stop();
      const { storyboard_url: url, duration_s } = video;
      if (!url || !duration_s || calm.matches) return;
      timer = setTimeout(() => {
        stage.setAttribute("data-previewing", "");
        board = createStoryboard(url);
        step(duration_s);
      }, REST_MS);
    },
    stop,
  };
}
