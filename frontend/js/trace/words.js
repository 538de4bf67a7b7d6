// A bar of a trace in words. Pure.
import { lasting } from "../dashboard/numbers.js";
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

/** @param {number} ms @returns {string} "2.1 s" */
export const took = (ms) => lasting(Math.max(0, ms) / 1000);

/** @param {Bar} bar */
export const outcomeWords = ({ span, waited }) =>
  waited
    ? span.to === null
      ? "Waits in its queue"
      : "Waited in its queue"
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

/** @param {string} name of an attribute @returns {string} "bytes read" */
const plain = (name) => name.replace(/^.*\./, "").replaceAll("_", " ");

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
    if (value !== null && typeof value !== "object")
      facts.push([plain(name), String(value)]);
  return facts;
}
