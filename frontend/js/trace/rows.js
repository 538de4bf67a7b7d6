// The spans of a trace, a row for each task. Pure.

/** @import { Outcome, Span, Trace } from "../dashboard/types.js" */

/**
 * @typedef {object} Bar
 * @property {Span} span
 * @property {boolean} waited it waited in its queue; otherwise it was worked on
 * @property {boolean} beside another attempt was still at work when it began
 * @property {number} from_ms since the trace begins
 * @property {number} to_ms
 *
 * @typedef {object} Row
 * @property {string} key
 * @property {string} name
 * @property {readonly Bar[]} bars in the order of time
 */

/** @param {string} time */
const ms = (time) => Date.parse(time);

/**
 * @param {Trace} trace
 * @param {number} now_ms where what still goes on ends
 * @returns {number} how long it is, at least 1 ms
 */
export function length_ms(trace, now_ms) {
  const start = ms(trace.from);
  const ends = trace.spans.map(({ to }) => (to ? ms(to) : now_ms));
  const end = trace.to ? ms(trace.to) : now_ms;
  return Math.max(1, ...[...ends, end].map((each) => each - start));
}

/**
 * What has no task of its own (uploading, publishing) has one row for each kind.
 * @param {Span} span
 */
const keyOf = ({ task_id, kind }) => task_id ?? kind;

/**
 * @param {Trace} trace
 * @param {number} now_ms
 * @returns {Row[]} in the order in which they began
 */
export function rowsOf(trace, now_ms) {
  const start = ms(trace.from);
  /** @type {Map<string, { key: string, name: string, bars: Bar[] }>} */
  const rows = new Map();
  for (const span of trace.spans) {
    // The whole video is what the axis shows.
    if (span.kind === "video") continue;
    const key = keyOf(span);
    const waited = span.kind === "queue";
    const row = rows.get(key) ?? { key, name: "", bars: [] };
    rows.set(key, row);
    if (!waited || !row.name) row.name = span.name.replace(/^queue: /, "");
    row.bars.push({
      span,
      waited,
      beside: false,
      from_ms: ms(span.from) - start,
      to_ms: (span.to ? ms(span.to) : now_ms) - start,
    });
  }
  const begun = (/** @type {Row} */ { bars }) => bars[0]?.from_ms ?? 0;
  const all = [...rows.values()];
  for (const { bars } of all) {
    bars.sort((a, b) => a.from_ms - b.from_ms);
    let busy_ms = 0;
    for (const bar of bars.filter(({ waited }) => !waited)) {
      bar.beside = bar.from_ms < busy_ms;
      busy_ms = Math.max(busy_ms, bar.to_ms);
    }
  }
  return all.sort((a, b) => begun(a) - begun(b));
}

/**
 * @param {readonly Row[]} rows
 * @returns {{ rows: number, done: number, attempts: number, workers: number, busy_ms: number,
 *   outcomes: Record<Outcome, number> }}
 */
export function sumOf(rows) {
  const work = rows.flatMap(({ bars }) =>
    bars.filter(({ waited, span }) => !waited && span.task_id !== null),
  );
  /** @type {Record<Outcome, number>} */
  const outcomes = {
    done: 0,
    failed: 0,
    retried: 0,
    lost: 0,
    cancelled: 0,
    running: 0,
  };
  for (const { span } of work) outcomes[span.outcome] += 1;
  const tasks = new Set(work.map(({ span }) => span.task_id));
  const done = new Set(
    work
      .filter(({ span }) => span.outcome === "done")
      .map(({ span }) => span.task_id),
  );
  const workers = new Set(work.map(({ span }) => span.worker).filter(Boolean));
  return {
    rows: tasks.size,
    done: done.size,
    attempts: work.length,
    workers: workers.size,
    busy_ms: work.reduce((sum, { from_ms, to_ms }) => sum + to_ms - from_ms, 0),
    outcomes,
  };
}

/** Marks of one name that are nearer to each other than this part of the whole are one. */
const NEAR = 0.02;
/** @type {Record<string, string>} */
const MARK_WORDS = { "rendition.ready": "rendition ready" };

/**
 * @param {Trace} trace
 * @param {number} length_ms
 * @returns {{ name: string, at_ms: number }[]} what happened to the whole video, its end included
 */
export function marksOf(trace, length_ms) {
  const ended = trace.to ? [{ name: trace.status, at: trace.to }] : [];
  /** @type {{ name: string, at_ms: number, times: number }[]} */
  const marks = [];
  for (const { name, at } of [...trace.marks, ...ended]) {
    const at_ms = ms(at) - ms(trace.from);
    const word = MARK_WORDS[name] ?? name;
    const same = marks.findLast((each) => each.name === word);
    if (same && at_ms - same.at_ms < NEAR * length_ms) same.times += 1;
    else marks.push({ name: word, at_ms, times: 1 });
  }
  return marks.map(({ name, at_ms, times }) => ({
    name: times > 1 ? `${name} ×${times}` : name,
    at_ms,
  }));
}
