// Series put on top of each other. Pure.

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
