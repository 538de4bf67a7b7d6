// Figures as an operator reads them. Pure. What is not known is a dash.

const NONE = "–";
const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const fine = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });

/** @param {number | null | undefined} value @returns {value is number} */
const known = (value) => value != null && Number.isFinite(value);

/** @param {number | null | undefined} value */
export const count = (value) => (known(value) ? whole.format(value) : NONE);

/** @param {number | null | undefined} value @returns {string} "4.2" */
export const rate = (value) => (known(value) ? fine.format(value) : NONE);

/** @param {number | null | undefined} part 0 to 1 @returns {string} "12.5 %" */
export const share = (part) =>
  known(part) ? `${fine.format(part * 100)} %` : NONE;

/**
 * @param {number | null | undefined} usd
 * @returns {string} "$1.23"; small sums keep two digits that tell something: "$0.00042"
 */
export function dollars(usd) {
  if (!known(usd)) return NONE;
  if (usd === 0 || Math.abs(usd) >= 1) return `$${usd.toFixed(2)}`;
  const digits = Math.min(8, 1 - Math.floor(Math.log10(Math.abs(usd))));
  return `$${usd.toFixed(Math.max(2, digits))}`;
}

/**
 * @param {number | null | undefined} seconds
 * @returns {string} "0.4 s", "42 s", "3 min 5 s", "1 h 4 min", "2 d 3 h"
 */
export function lasting(seconds) {
  if (!known(seconds)) return NONE;
  if (seconds < 9.95) return `${fine.format(seconds)} s`;
  if (seconds < 59.5) return `${whole.format(seconds)} s`;
  /** @type {[number, string, number, string][]} */
  const units = [
    [86_400, "d", 3600, "h"],
    [3600, "h", 60, "min"],
    [60, "min", 1, "s"],
  ];
  for (const [large, name, small, lesser] of units) {
    // Rounded before it is taken apart: never "1 min 60 s".
    const rounded = Math.round(seconds / small) * small;
    if (rounded < large) continue;
    const rest = Math.round((rounded % large) / small);
    const head = `${Math.floor(rounded / large)} ${name}`;
    return rest > 0 ? `${head} ${rest} ${lesser}` : head;
  }
  return `${whole.format(seconds)} s`;
}

/**
 * @param {number} n
 * @param {string} one
 * @param {string} [many]
 * @returns {string} "1 video", "2 videos"
 */
export const counted = (n, one, many = `${one}s`) =>
  `${count(n)} ${n === 1 ? one : many}`;

/**
 * @param {string | number} time ISO 8601, or ms
 * @param {number} span_s how long a time is looked at: days need their date
 * @returns {string} "14:05", "12 May, 14:05"
 */
export function moment(time, span_s) {
  const day = { day: "numeric", month: "short" };
  return new Date(time).toLocaleString("en-GB", {
    hour: "2-digit",
    minute: "2-digit",
    .../** @type {Intl.DateTimeFormatOptions} */ (span_s > 86_400 ? day : {}),
  });
}
