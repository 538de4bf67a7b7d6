// Series over steps of time: put on top of each other, and told in fewer steps. Pure.

/** @import { Values } from "./types.js" */

/**
 * @param {readonly Values[]} series from the lowest to the highest
 * @returns {number[][]} how high each reaches: itself and all below it
 */
export function bottomsUp(series) {
  /** @type {number[][]} */
  const tops = [];
  for (const values of series) {
    const below = tops.at(-1);
    tops.push(values.map((value, i) => (value ?? 0) + (below?.[i] ?? 0)));
  }
  return tops;
}

/**
 * @param {Values} values
 * @param {boolean} sums what happened adds up; of what was seen the most counts
 * @returns {number | null} null if there is none
 */
function together(values, sums) {
  const known = values.filter((value) => value !== null);
  if (known.length === 0) return null;
  return sums
    ? known.reduce((sum, value) => sum + value, 0)
    : Math.max(...known);
}

/**
 * @param {Values} values
 * @param {Values} among what they are a part of
 * @returns {Values} 0 to 1; null where there is nothing that they could be a part of
 */
export const shares = (values, among) =>
  among.map((whole, i) => (whole ? (values[i] ?? 0) / whole : null));

/**
 * Fewer steps, if there are more than can be told apart. They begin at round times, so that a new
 * one moves none of the others.
 * @template {{ values: Values, among?: Values, sums: boolean }} L
 * @param {{ at: number[], step_s: number, lines: L[] }} drawing
 * @param {number} most steps
 * @returns {{ at: number[], step_s: number, lines: L[] }}
 */
export function coarser({ at, step_s, lines }, most) {
  const times = Math.ceil(at.length / most);
  if (times <= 1) return { at, step_s, lines };
  const long_s = step_s * times;
  /** @type {Map<number, number[]>} */
  const steps = new Map();
  for (const [i, s] of at.entries()) {
    const begin = Math.floor(s / long_s) * long_s;
    steps.set(begin, [...(steps.get(begin) ?? []), i]);
  }
  /** @param {Values} values @param {boolean} sums */
  const joined = (values, sums) =>
    [...steps.values()].map((places) =>
      together(
        places.map((i) => values[i] ?? null),
        sums,
      ),
    );
  return {
    at: [...steps.keys()],
    step_s: long_s,
    lines: lines.map((line) => ({
      ...line,
      values: joined(line.values, line.sums),
      ...(line.among && { among: joined(line.among, line.sums) }),
    })),
  };
}
