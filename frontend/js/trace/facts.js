// A trace in six figures.
import { count, counted } from "../dashboard/numbers.js";
import { find, say, stamp } from "../dom.js";
import { sumOf } from "./rows.js";
import { took } from "./words.js";

/** @import { Trace } from "../dashboard/types.js" */
/** @import { Row } from "./rows.js" */

/** @param {Trace} trace @param {string} name @returns {string | null} */
function after(trace, name) {
  const mark = trace.marks.find((each) => each.name === name);
  return mark ? took(Date.parse(mark.at) - Date.parse(trace.from)) : null;
}

/**
 * @param {Trace} trace
 * @param {readonly Row[]} rows
 * @param {number} whole_ms
 * @returns {[string, string, string][]} name, value and note
 */
export function factsOf(trace, rows, whole_ms) {
  const sum = sumOf(rows);
  const { retried, failed, lost } = sum.outcomes;
  const trouble = [
    retried > 0 && `${count(retried)} tried again`,
    failed > 0 && `${count(failed)} failed for good`,
    lost > 0 && counted(lost, "worker lost", "workers lost"),
  ].filter(Boolean);
  return [
    [trace.to ? "Took" : "Has taken", took(whole_ms), "from its beginning"],
    ["Playable", after(trace, "playable") ?? "–", "after its beginning"],
    ["Tasks", count(sum.rows), `${count(sum.done)} done`],
    [
      "Attempts",
      count(sum.attempts),
      trouble.join(", ") || "none was tried again",
    ],
    ["Workers", count(sum.workers), "had a part in it"],
    [
      "Work",
      took(sum.busy_ms),
      `${(sum.busy_ms / whole_ms).toFixed(1)} at a time, on average`,
    ],
  ];
}

/** @param {HTMLElement} element */
export function createFacts(element) {
  return {
    element,
    /** @param {[string, string, string][]} facts */
    show(facts) {
      if (element.children.length !== facts.length)
        element.replaceChildren(...facts.map(() => stamp("figure")));
      for (const [i, [name, value, note]] of facts.entries()) {
        const figure = /** @type {HTMLElement} */ (element.children[i]);
        say(find(figure, "dt", HTMLElement), name);
        say(find(figure, ".figure__value", HTMLElement), value);
        say(find(figure, ".figure__note", HTMLElement), note);
      }
    },
  };
}
