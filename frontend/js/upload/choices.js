// What can be chosen for a video, in words. Pure.

/** @import { LadderChoice, SettingChoices, VideoSettings } from "../types.js" */

/** @type {Record<string, { label: string, about: string }>} by the ladder's name */
const LADDERS = {
  default: { label: "H.264", about: "Plays on everything." },
  hevc: { label: "HEVC", about: "A third fewer bits. Most newer devices." },
  av1: {
    label: "AV1",
    about: "Half the bits. Current browsers, slow to make.",
  },
  multi: {
    label: "All three",
    about: "Each player takes the best it can. Three times the work.",
  },
};

/** @param {string} name */
export const ladderLabel = (name) => LADDERS[name]?.label ?? name;

/** @param {number} bps */
const megabits = (bps) => String(Math.round(bps / 10_000) / 100);

/**
 * @param {LadderChoice} ladder
 * @returns {string} what it is good for, e.g. "Plays on everything."; "" when that is not known
 */
export const ladderAbout = ({ name, per_title }) =>
  [LADDERS[name]?.about, per_title && "Rates are fitted to each video."]
    .filter(Boolean)
    .join(" ");

/**
 * @param {LadderChoice} ladder
 * @returns {string} what it makes, e.g. "2160p, 1080p, 360p, up to 16 Mb/s"
 */
export function ladderMakes({ rungs }) {
  const sides = [...new Set(rungs.map(({ short_side }) => short_side))];
  const top = Math.max(...rungs.map(({ maxrate_bps }) => maxrate_bps));
  const names = sides.sort((a, b) => b - a).map((side) => `${side}p`);
  const codecs = new Set(rungs.map(({ codec }) => codec)).size;
  const times = codecs > 1 ? `, each ${codecs} times` : "";
  return `${names.join(", ")}${times}, up to ${megabits(top)} Mb/s`;
}

/** @type {Record<string, Record<string, string>>} by setting and value */
export const WORDS = {
  preset: {
    ultrafast: "Ultrafast: roughest",
    superfast: "Superfast",
    veryfast: "Very fast",
    faster: "Faster",
    fast: "Fast",
    medium: "Medium: finest, slowest",
  },
  priority: {
    high: "High: before others",
    normal: "Normal",
    low: "Low: when nothing else waits",
  },
  rate_control: {
    crf: "Constant quality",
    abr: "Average bit rate",
    cbr: "Constant bit rate",
  },
  container: {
    cmaf: "CMAF (fMP4): HLS and DASH",
    mpegts: "MPEG-TS: old HLS players only",
  },
};

/**
 * What does not go together gives way to the ladder, as docs/API.md tells.
 * @param {VideoSettings} wanted
 * @param {readonly LadderChoice[]} ladders
 * @returns {{ settings: VideoSettings, notes: string[] }} with a sentence for each that gave way
 */
export function settle(wanted, ladders) {
  const settings = { ...wanted };
  const notes = [];
  const name = wanted.ladder ?? "default";
  const rungs = ladders.find((ladder) => ladder.name === name)?.rungs ?? [];
  const codecs = new Set(rungs.map(({ codec }) => codec));
  if (codecs.has("av1") && (settings.rate_control ?? "crf") !== "crf") {
    delete settings.rate_control;
    notes.push("AV1 has constant quality only, so that is what it gets.");
  }
  if (rungs.length && !codecs.has("h264") && settings.container === "mpegts") {
    delete settings.container;
    notes.push("MPEG-TS carries H.264 only, so the segments will be CMAF.");
  }
  return { settings, notes };
}

/**
 * Leaves out what is the API's own choice anyway, so that requests say what a person said.
 * @param {VideoSettings} settings
 * @param {SettingChoices["segment_s"]} segment_s
 * @returns {VideoSettings | undefined} undefined when nothing is left
 */
export function onlyChosen(settings, segment_s) {
  /** @type {Record<string, unknown>} */
  const usual = {
    ladder: "default",
    rate_control: "crf",
    priority: "normal",
    segment_s: segment_s.usual,
  };
  const chosen = Object.entries(settings).filter(
    ([name, value]) => value !== undefined && value !== usual[name],
  );
  return chosen.length > 0 ? Object.fromEntries(chosen) : undefined;
}
