// What is known of a video, as labelled facts. Pure.
import { codecName } from "../../player/levels.js";
import { clock, rate, resolution, size } from "../format.js";

/** @import { Level } from "../../player/levels.js" */
/** @import { Rendition, Video } from "../types.js" */

/** @type {Record<string, string>} */
const CODECS = {
  h264: "H.264",
  hevc: "HEVC (H.265)",
  vp8: "VP8",
  vp9: "VP9",
  av1: "AV1",
  mpeg2video: "MPEG-2",
  mpeg4: "MPEG-4 Part 2",
  prores: "ProRes",
  aac: "AAC",
  mp3: "MP3",
  opus: "Opus",
  vorbis: "Vorbis",
  ac3: "Dolby Digital",
  flac: "FLAC",
};

/** @param {string | undefined} codec */
const codecWords = (codec) => (codec ? (CODECS[codec] ?? codec) : "");

/** @param {{ num: number, den: number } | undefined} frameRate */
function frameRateWords(frameRate) {
  if (!frameRate?.den || !frameRate.num) return "";
  const fps = frameRate.num / frameRate.den;
  return `${Number(fps.toFixed(2))} frames/s`;
}

/** @param {number | undefined} channels */
const channelWords = (channels) =>
  channels === undefined
    ? ""
    : ({ 1: "mono", 2: "stereo", 6: "5.1", 8: "7.1" }[channels] ??
      `${channels} channels`);

const join = (/** @type {(string | undefined)[]} */ ...words) =>
  words.filter(Boolean).join(", ");

/**
 * @param {Video} video
 * @returns {[label: string, value: string][]} only what is known
 */
export function factsOf(video) {
  const format = video.media?.format;
  const picture = video.media?.video?.[0];
  const sound = video.media?.audio?.[0];
  /** @type {[string, string][]} */
  const facts = [
    ["Duration", clock(video.duration_s ?? format?.duration_s)],
    [
      "Source",
      video.width && video.height
        ? `${video.width} × ${video.height} (${resolution(video)})`
        : "",
    ],
    [
      "Picture",
      join(codecWords(picture?.codec), frameRateWords(picture?.frame_rate)),
    ],
    [
      "Sound",
      video.media
        ? join(codecWords(sound?.codec), channelWords(sound?.channels)) ||
          "none"
        : "",
    ],
    ["File", join(format?.container?.toUpperCase(), size(format?.bytes))],
    ["Source bitrate", format?.bitrate_bps ? rate(format.bitrate_bps) : ""],
  ];
  return facts.filter(([, value]) => value !== "");
}

/**
 * @param {readonly Rendition[]} renditions
 * @returns {{ name: string, level: number, rate: string }[]} highest first; `level` is the length
 *   of its bar, 0…1
 */
export function rungsOf(renditions) {
  const rate_bps = (/** @type {Rendition} */ each) => each.maxrate_bps ?? 0;
  const most = Math.max(1, ...renditions.map(rate_bps));
  return [...renditions]
    .sort((a, b) => b.height * b.width - a.height * a.width)
    .map((each) => ({
      name: each.name,
      level: rate_bps(each) > 0 ? rate_bps(each) / most : 1,
      rate: rate_bps(each) > 0 ? `≤ ${rate(rate_bps(each))}` : "",
    }));
}

/**
 * @param {Level | null} level that the player shows
 * @param {readonly Rendition[]} renditions
 * @returns {string} the name of its rendition; "" when it is none of them
 */
export function renditionOf(level, renditions) {
  const ofSize = renditions.filter(
    ({ width, height }) => width === level?.width && height === level.height,
  );
  const ofCodec = ofSize.filter(
    ({ codecs }) => codecName(codecs) === level?.codec,
  );
  return (ofCodec[0] ?? ofSize[0])?.name ?? "";
}
