// Small pictures of the whole video: a WebVTT track whose cues name parts of images,
// "storyboard/00.jpg#xywh=160,0,160,90". The browser reads the track.

/**
 * @typedef {object} Still
 * @property {string} url of the image
 * @property {number} x
 * @property {number} y
 * @property {number} width
 * @property {number} height
 *
 * @typedef {ReturnType<typeof createStoryboard>} Storyboard
 */

const PLACE = /#xywh=(?:pixel:)?(\d+),(\d+),(\d+),(\d+)$/;

/**
 * @param {string} text of a cue
 * @param {string} base URL of the track
 * @returns {Still | null} null for what is no part of an image
 */
export function parseStill(text, base) {
  const place = PLACE.exec(text.trim());
  if (!place) return null;
  const [x = 0, y = 0, width = 0, height = 0] = place.slice(1).map(Number);
  const url = new URL(text.trim().replace(PLACE, ""), base);
  if (!/^https?:$/.test(url.protocol) || width === 0 || height === 0)
    return null;
  return { url: url.href, x, y, width, height };
}

/** @param {string} src URL of the WebVTT track */
export function createStoryboard(src) {
  const url = new URL(src, document.baseURI).href;
  // An element of its own: the player's one belongs to the engine, which empties its tracks.
  const carrier = document.createElement("video");
  carrier.crossOrigin = "anonymous";
  const track = document.createElement("track");
  track.kind = "metadata";
  track.src = url;
  carrier.append(track);
  track.track.mode = "hidden";
  return {
    /** @param {number} time_s @returns {Still | null} null while it is not known */
    at(time_s) {
      const cues = Array.from(track.track.cues ?? []);
      const cue = cues.findLast(({ startTime }) => startTime <= time_s);
      const text = /** @type {VTTCue | undefined} */ (cue)?.text;
      return text === undefined ? null : parseStill(text, url);
    },
    destroy() {
      track.track.mode = "disabled";
      track.remove();
    },
  };
}
