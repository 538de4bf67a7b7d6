// Round times along the axis of a trace. Pure.
import { clock } from "../format.js";

const STEPS_S = [
  0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200,
  14_400, 43_200, 86_400,
];

/** @import { Part } from "./zoom.js" */

/**
 * @param {number} s
 * @param {number} step_s
 */
function inWords(s, step_s) {
  if (s < 60) return `${Number(s.toFixed(1))} s`;
  const part = step_s < 1 ? (s % 1).toFixed(1).slice(1) : "";
  return clock(s) + part;
}

/**
 * @param {Part} part of the trace that is shown
 * @param {number} most marks
 * @returns {{ at_ms: number, text: string }[]}
 */
export function ticksOf({ from_ms, to_ms }, most) {
  const least_s = (to_ms - from_ms) / 1000 / most;
  const step_s =
    STEPS_S.find((each) => each >= least_s) ??
    Math.ceil(least_s / 86_400) * 86_400;
  const marks = [];
  for (
    let i = Math.ceil(from_ms / 1000 / step_s);
    i * step_s * 1000 <= to_ms;
    i += 1
  )
    marks.push({ at_ms: i * step_s * 1000, text: inWords(i * step_s, step_s) });
  return marks;
}
