// Numbers as people read them. Pure.

/** @import { Video } from "./types.js" */

/**
 * @param {number | null | undefined} seconds
 * @returns {string} "1:05:09", "3:07"; "" when unknown
 */
export function clock(seconds) {
  if (seconds == null || !Number.isFinite(seconds) || seconds < 0) return "";
  // A clip of 0.4 s is not "0:00"; otherwise players round down.
  const whole = seconds > 0 && seconds < 1 ? 1 : Math.floor(seconds);
  const [h, m, s] = [
    Math.floor(whole / 3600),
    Math.floor(whole / 60) % 60,
    whole % 60,
  ];
  const two = (/** @type {number} */ n) => String(n).padStart(2, "0");
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/**
 * @param {number | null | undefined} bytes
 * @returns {string} "16.4 MB" (decimal units, as disks and networks count); "" when unknown
 */
export function size(bytes) {
  if (bytes == null || !Number.isFinite(bytes)) return "";
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit > 0 && value < 100 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

/**
 * @param {number} bitsPerSecond
 * @returns {string} "2.8 Mb/s"
 */
export const rate = (bitsPerSecond) =>
  bitsPerSecond >= 1e6
    ? `${(bitsPerSecond / 1e6).toFixed(1)} Mb/s`
    : `${Math.round(bitsPerSecond / 1000)} kb/s`;

/**
 * @param {number | null} seconds
 * @returns {string} "about 3 min left"; "" when unknown
 */
export function remaining(seconds) {
  if (seconds === null || !Number.isFinite(seconds)) return "";
  if (seconds < 5) return "a few seconds left";
  if (seconds < 60) return `${Math.ceil(seconds / 5) * 5} s left`;
  if (seconds < 3600) return `${Math.ceil(seconds / 60)} min left`;
  return `${(seconds / 3600).toFixed(1)} h left`;
}

/**
 * @param {string | null | undefined} iso
 * @param {number} [now_ms]
 * @returns {string} "just now", "5 minutes ago", "12 May 2026"
 */
export function ago(iso, now_ms = Date.now()) {
  const then = iso ? Date.parse(iso) : NaN;
  if (Number.isNaN(then)) return "";
  const seconds = Math.max(0, (now_ms - then) / 1000);
  if (seconds < 45) return "just now";
  const say = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
  if (seconds < 3600)
    return say.format(-Math.max(1, Math.round(seconds / 60)), "minute");
  if (seconds < 86_400) return say.format(-Math.round(seconds / 3600), "hour");
  if (seconds < 7 * 86_400)
    return say.format(-Math.round(seconds / 86_400), "day");
  return new Date(then).toLocaleDateString("en-GB", {
    day: "numeric",
    month: "short",
    year: "numeric",
  });
}

/**
 * The usual name of a resolution: its short side, so that an upright video has one too.
 * @param {{ width?: number | null, height?: number | null }} source
 * @returns {string} "1080p"; "" when unknown
 */
export function resolution({ width, height }) {
  if (!width || !height) return "";
  return `${Math.min(width, height)}p`;
}

/**
 * @param {Pick<Video, "status" | "percent">} video
 * @returns {string} "Processing 42 %"
 */
export function statusWords({ status, percent }) {
  const words = {
    awaiting_upload: "Waiting for its file",
    queued: "Queued",
    processing: "Processing",
    completed: "Completed",
    failed: "Failed",
    cancelled: "Cancelled",
    deleting: "Being deleted",
  };
  const word = words[status] ?? status;
  return status === "processing" && percent != null
    ? `${word} ${Math.floor(percent)} %`
    : word;
}
