// A bar of a trace in words. Pure.
import { count, lasting, share } from "../dashboard/numbers.js";
import { size } from "../format.js";
import { REASONS } from "../reasons.js";

/** @import { Outcome } from "../dashboard/types.js" */
/** @import { Bar, Row } from "./rows.js" */

/** @type {Record<Outcome, string>} */
const OUTCOMES = {
  done: "Done",
  failed: "Failed for good",
  retried: "Failed, and tried again",
  lost: "Its worker was lost",
  cancelled: "Cancelled",
  running: "Running",
};

/** @type {Partial<Record<Outcome, string>>} */
const WAITS = {
  running: "Waits in its queue",
  cancelled: "Waited in its queue, and was cancelled",
};

/** @param {number} ms @returns {string} "2.1 s" */
export const took = (ms) => lasting(Math.max(0, ms) / 1000);

/** @param {Bar} bar */
export const outcomeWords = ({ span, waited }) =>
  waited
    ? (WAITS[span.outcome] ?? "Waited in its queue")
    : (OUTCOMES[span.outcome] ?? span.outcome);

/** @param {Bar} bar @returns {string} why it did not end well; "" when it did */
export function whyWords({ span }) {
  if (!span.reason) return "";
  const words = REASONS[span.reason] ?? "";
  const said = span.message && span.message !== words ? span.message : "";
  return [`${span.reason}.`, said || words].join(" ").trim();
}

/** @param {Row} row @param {Bar} bar @returns {string} all of it, for who does not see the bar */
export function spoken(row, bar) {
  const { span, from_ms, to_ms } = bar;
  const parts = [
    span.attempt === null ? row.name : `${row.name}, attempt ${span.attempt}`,
    outcomeWords(bar).toLowerCase(),
    `${took(to_ms - from_ms)} from ${took(from_ms)} on`,
    span.worker && `worker ${span.worker}`,
    whyWords(bar),
  ];
  return parts.filter(Boolean).join(", ");
}

/**
 * @param {string} name of an attribute, with its unit
 * @param {unknown} value
 * @returns {[string, string] | null} "bytes read" and "1.0 MB"; null if it says nothing
 */
function attribute(name, value) {
  const told = name === "duration_s" || value === null || value === false;
  if (told || typeof value === "object") return null;
  const words = name.replace(/_s$/, "").replaceAll("_", " ");
  if (typeof value !== "number")
    return [words, value === true ? "yes" : String(value)];
  if (name.endsWith("_s")) return [words, lasting(value)];
  if (name.endsWith("_share")) return [words, share(value)];
  return [words, name.startsWith("bytes") ? size(value) : count(value)];
}

/** @param {Bar} bar @returns {[string, string][]} */
export function factsOf({ span, from_ms, to_ms }) {
  /** @type {[string, string][]} */
  const facts = [
    ["Began", `${took(from_ms)} after the beginning`],
    [span.to === null ? "Has taken" : "Took", took(to_ms - from_ms)],
  ];
  if (span.task_id) facts.push(["Task", span.task_id]);
  if (span.attempt !== null) facts.push(["Attempt", String(span.attempt)]);
  if (span.worker) facts.push(["Worker", span.worker]);
  for (const [name, value] of Object.entries(span.attributes ?? {}))
    facts.push(...[attribute(name, value)].filter((each) => each !== null));
  return facts;
}
