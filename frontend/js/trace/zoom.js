// Which part of a trace is on the screen. Pure.

/** @typedef {{ from_ms: number, to_ms: number }} Part */

/** No nearer than this: bars have whole milliseconds. */
const LEAST_MS = 100;

/** @param {number} length_ms @returns {Part} */
export const whole = (length_ms) => ({ from_ms: 0, to_ms: length_ms });

/**
 * @param {Part} part
 * @param {number} length_ms of the trace
 * @returns {Part} as long, and within the trace
 */
export function within({ from_ms, to_ms }, length_ms) {
  const size = Math.min(to_ms - from_ms, length_ms);
  const from = Math.max(0, Math.min(from_ms, length_ms - size));
  return { from_ms: from, to_ms: from + size };
}

/**
 * @param {Part} part
 * @param {number} length_ms
 * @param {number} factor below 1: nearer
 * @param {number} at_ms what stays where it is
 */
export function zoomed({ from_ms, to_ms }, length_ms, factor, at_ms) {
  const size = Math.max(LEAST_MS, (to_ms - from_ms) * factor);
  const share = (at_ms - from_ms) / (to_ms - from_ms);
  const from = at_ms - size * Math.min(1, Math.max(0, share));
  return within({ from_ms: from, to_ms: from + size }, length_ms);
}

/** @param {Part} part @param {number} length_ms @param {number} by_ms */
export const moved = ({ from_ms, to_ms }, length_ms, by_ms) =>
  within({ from_ms: from_ms + by_ms, to_ms: to_ms + by_ms }, length_ms);

/**
 * @param {Part} part
 * @param {number} length_ms
 * @param {Part} wanted what is to be seen, or its beginning if it is too long
 */
export function revealing(part, length_ms, wanted) {
  const size = part.to_ms - part.from_ms;
  const seen = wanted.from_ms >= part.from_ms && wanted.to_ms <= part.to_ms;
  const wide = wanted.to_ms - wanted.from_ms > size;
  if (
    seen ||
    (wide && wanted.from_ms >= part.from_ms && wanted.from_ms < part.to_ms)
  )
    return part;
  return moved(part, length_ms, wanted.from_ms - part.from_ms - size / 4);
}
