// What there is to see in each chart, in words. Pure.
import { count, counted, dollars, lasting, moment, share } from "./numbers.js";

/** @import { Series, Spread, Stats, Values, Window } from "./types.js" */

/** @param {Values} values @returns {number} where the greatest is; -1 if there is none above 0 */
function highest(values) {
  let at = -1;
  for (const [i, value] of values.entries())
    if ((value ?? 0) > (at < 0 ? 0 : (values[at] ?? 0))) at = i;
  return at;
}

/**
 * @param {Values} values looked at once a step
 * @param {number} now
 * @returns {Values} with what is now in the last step, which goes on
 */
export const withNow = (values, now) => [
  ...values.slice(0, -1),
  Math.max(values.at(-1) ?? 0, now),
];

/** @param {Window} window */
export function errorWords({ completed, failed, error_rate }) {
  const ended = completed + failed;
  if (ended === 0) return "No video ended.";
  return `${count(failed)} of ${counted(ended, "video that ended", "videos that ended")} failed, ${share(error_rate)}.`;
}

/** @param {Window} window */
export const throughputWords = ({ uploaded, completed, failed }) =>
  uploaded + completed + failed === 0
    ? "No video arrived or ended."
    : `${count(uploaded)} uploaded, ${count(completed)} completed, ${count(failed)} failed.`;

/** @param {Stats} stats */
export function activeWords({ series, step_s, videos }) {
  const now = (videos["queued"] ?? 0) + (videos["processing"] ?? 0);
  const active = withNow(series.active, now);
  const at = highest(active);
  const head = now === 0 ? "None now" : `${count(now)} now`;
  if (at < 0) return `${head}.`;
  const time = moment(series.at[at] ?? "", step_s * series.at.length);
  return `${head}, ${count(active[at])} at most (${time}).`;
}

/** @param {Stats} stats */
export function depthWords({ series, queues, step_s }) {
  const waiting = queues.reduce((sum, queue) => sum + queue.waiting, 0);
  const head =
    waiting === 0 ? "Nothing waits" : `${counted(waiting, "message")} waiting`;
  const peaks = Object.entries(series.queue_depth)
    .map(([name, sampled]) => {
      const now = queues.find((queue) => queue.name === name)?.waiting ?? 0;
      const values = withNow(sampled, now);
      return { name, at: highest(values), values };
    })
    .filter(({ at }) => at >= 0)
    .sort((a, b) => (b.values[b.at] ?? 0) - (a.values[a.at] ?? 0));
  const [peak] = peaks;
  if (!peak) return `${head}.`;
  const time = moment(series.at[peak.at] ?? "", step_s * series.at.length);
  return `${head}. Most: ${count(peak.values[peak.at])} in ${peak.name} (${time}).`;
}

/** @param {Window} window */
export function troubleWords({ retries, dead_letters, lost_workers }) {
  if (retries + dead_letters + lost_workers === 0) return "No trouble.";
  const parts = [
    counted(retries, "retry", "retries"),
    counted(dead_letters, "dead letter"),
  ];
  if (lost_workers > 0)
    parts.push(counted(lost_workers, "worker lost", "workers lost"));
  return `${parts.join(", ")}.`;
}

/** @param {Stats} stats */
export function costWords({ window, series }) {
  const at = highest(series.cost_usd);
  if (at < 0) return "Nothing was spent.";
  const minute = window.cost_usd_per_source_minute;
  const each = minute == null ? "" : `, ${dollars(minute)} a minute of video`;
  return `${dollars(window.cost_usd)} in all${each}.`;
}

/** @param {Spread} spread @param {string} end "playable" or "complete" */
export function spreadWords({ count: videos, p50, p95 }, end) {
  if (videos === 0) return `No video became ${end}.`;
  if (videos === 1) return `One video, ${end} after ${lasting(p50)}.`;
  return `Half of ${count(videos)} videos were ${end} within ${lasting(p50)}, 95 % within ${lasting(p95)}.`;
}

/**
 * @param {Series} series
 * @param {readonly { name: string }[]} queues in the order of a video's way
 * @returns {string[]} the queues that have a line, in that order
 */
export function queuesOf({ queue_depth }, queues) {
  const order = queues.map(({ name }) => name);
  return Object.keys(queue_depth).sort(
    (a, b) => order.indexOf(a) - order.indexOf(b),
  );
}
