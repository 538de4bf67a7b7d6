// What a level is called. Pure.

/**
 * @typedef {object} Level
 * @property {number} index as the engine counts; -1 is Auto
 * @property {string} name "720p"; with the codec, the frame rate or the bitrate where another level
 *   would be called the same: "720p AV1"
 * @property {number} width
 * @property {number} height
 * @property {string} codec "H.264"; "" where it is not told
 * @property {number} frameRate frames per second; 0 where it is not told
 * @property {number} bitrate_bps the peak that the playlist declares
 *
 * @typedef {object} Variant what a multivariant playlist says, in the words of hls.js
 * @property {number} width
 * @property {number} height
 * @property {string | undefined} [videoCodec] RFC 6381
 * @property {number} [frameRate]
 * @property {number} maxBitrate
 * @property {string} uri of its media playlist
 */

/** @type {Record<string, string>} by the first part of an RFC 6381 codec */
const CODECS = {
  avc1: "H.264",
  avc3: "H.264",
  hvc1: "HEVC",
  hev1: "HEVC",
  dvh1: "Dolby Vision",
  dvhe: "Dolby Vision",
  av01: "AV1",
  vp09: "VP9",
};

/**
 * @param {string | undefined} codecs RFC 6381, of a picture or of picture and sound
 * @returns {string} "HEVC"; "" when there is none that is known
 */
export function codecName(codecs) {
  for (const codec of (codecs ?? "").split(",")) {
    const name = CODECS[codec.trim().split(".", 1)[0] ?? ""];
    if (name) return name;
  }
  return "";
}

/**
 * The usual name of a size: its short side, and the frame rate where it is a high one.
 * @param {Pick<Variant, "width" | "height" | "frameRate">} variant
 */
export function sizeName({ width, height, frameRate = 0 }) {
  if (!width || !height) return "Original";
  const rate = frameRate > 31 ? String(Math.round(frameRate)) : "";
  return `${Math.min(width, height)}p${rate}`;
}

/** @param {number} bitrate_bps */
export const rateWords = (bitrate_bps) =>
  bitrate_bps >= 1e6
    ? `${(bitrate_bps / 1e6).toFixed(1)} Mb/s`
    : `${Math.round(bitrate_bps / 1000)} kb/s`;

/** @param {Level} a @param {Level} b */
const byHeight = (a, b) =>
  b.width * b.height - a.width * a.height ||
  b.frameRate - a.frameRate ||
  b.bitrate_bps - a.bitrate_bps;

/**
 * Appends to names that occur twice what tells the levels apart.
 * @param {Level[]} levels
 * @param {(level: Level) => string} mark
 */
function tellApart(levels, mark) {
  return levels.map((level) => {
    const twins = levels.filter(({ name }) => name === level.name);
    return new Set(twins.map(mark)).size > 1
      ? { ...level, name: `${level.name} ${mark(level)}`.trimEnd() }
      : level;
  });
}

/**
 * @param {readonly Variant[]} variants in the engine's order
 * @returns {Level[]} largest picture first, each with a name of its own. Of one picture offered with
 *   stereo and with surround sound, the one of fewer bits.
 */
export function levelsOf(variants) {
  const levels = variants
    .map((variant, index) => ({
      index,
      name: sizeName(variant),
      width: variant.width,
      height: variant.height,
      codec: codecName(variant.videoCodec),
      frameRate: variant.frameRate ?? 0,
      bitrate_bps: variant.maxBitrate,
    }))
    .filter(({ index }) => isLeast(variants, index))
    .sort(byHeight);
  const byCodec = tellApart(levels, ({ codec }) => codec);
  return tellApart(byCodec, ({ bitrate_bps }) => rateWords(bitrate_bps));
}

/**
 * Variants of one playlist are one picture, offered with several sounds.
 * @param {readonly Variant[]} variants
 * @param {number} index
 */
function isLeast(variants, index) {
  const own = /** @type {Variant} */ (variants[index]);
  return variants.every(
    (other, at) =>
      other.uri !== own.uri ||
      other.maxBitrate > own.maxBitrate ||
      (other.maxBitrate === own.maxBitrate && at >= index),
  );
}
