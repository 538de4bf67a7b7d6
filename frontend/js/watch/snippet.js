// Addresses and markup to hand on. Pure.

/** @import { Video } from "../types.js" */

const WIDTH = 640;
const USUAL_HEIGHT = 360;

/** @type {Record<string, string>} */
const ENTITIES = { "&": "&amp;", '"': "&quot;", "<": "&lt;", ">": "&gt;" };

/** @param {string} text */
const escaped = (text) =>
  text.replace(/[&"<>]/g, (each) => ENTITIES[each] ?? "");

/**
 * @param {string} page "watch.html" or "embed.html"
 * @param {{ id: string, start_s: number, base: string }} options `start_s` 0: no time in it
 */
export function addressOf(page, { id, start_s, base }) {
  const url = new URL(page, base);
  url.search = "";
  url.hash = "";
  url.searchParams.set("v", id);
  if (start_s > 0) url.searchParams.set("t", String(Math.floor(start_s)));
  return url.href;
}

/**
 * @param {Video} video
 * @param {{ start_s: number, base: string }} options
 * @returns {string} HTML for other people's pages
 */
export function snippetOf(video, { start_s, base }) {
  const src = addressOf("embed.html", { id: video.id, start_s, base });
  const { width, height } = video;
  const high =
    width && height ? Math.round((WIDTH * height) / width) : USUAL_HEIGHT;
  return [
    `<iframe src="${escaped(src)}"`,
    `title="${escaped(video.title || "Video")}"`,
    `width="${WIDTH}" height="${high}" loading="lazy" style="border:0"`,
    `allow="autoplay; fullscreen; picture-in-picture" allowfullscreen></iframe>`,
  ].join(" ");
}
