import assert from "node:assert/strict";
import { test } from "node:test";
import {
  length_ms,
  marksOf,
  rowsOf,
  sumOf,
} from "../../../frontend/js/trace/rows.js";
import { ticksOf } from "../../../frontend/js/trace/scale.js";
import { factsOf, spoken, whyWords } from "../../../frontend/js/trace/words.js";
import {
  moved,
  revealing,
  whole,
  zoomed,
} from "../../../frontend/js/trace/zoom.js";

/** @import { Span, Trace } from "../../../frontend/js/dashboard/types.js" */

/** @param {number} s */
const at = (s) => new Date(s * 1000).toISOString();

/** @param {Partial<Span> & { begin: number, end: number | null }} given @returns {Span} */
const span = ({ begin, end, ...more }) => ({
  id: `${begin}`,
  parent_id: "root",
  name: "transcode chunk 0",
  kind: "transcode",
  task_id: "transcode-00000",
  attempt: 1,
  worker: "w1",
  from: at(begin),
  to: end === null ? null : at(end),
  outcome: end === null ? "running" : "done",
  reason: null,
  message: null,
  ...more,
});

/** @param {Span[]} spans @param {Partial<Trace>} [more] @returns {Trace} */
const trace = (spans, more = {}) => ({
  video_id: "v",
  trace_id: "t",
  title: "",
  status: "processing",
  from: at(0),
  to: null,
  spans,
  marks: [],
  ...more,
});

const WAIT = { kind: "queue", attempt: null, worker: null };

test("a task is one row, with its waits and attempts in the order of time", () => {
  const rows = rowsOf(
    trace([
      span({ begin: 0, end: 20, kind: "video", task_id: null }),
      span({ begin: 6, end: 9, attempt: 2, worker: "w2" }),
      span({ begin: 1, end: 2, ...WAIT, name: "queue: transcode chunk 0" }),
      span({ begin: 2, end: 4, outcome: "retried" }),
      span({ begin: 0, end: 1, kind: "upload", name: "upload", task_id: null }),
    ]),
    0,
  );
  assert.deepEqual(
    rows.map(({ name, bars }) => [name, bars.map(({ from_ms }) => from_ms)]),
    [
      ["upload", [0]],
      ["transcode chunk 0", [1000, 2000, 6000]],
    ],
  );
});

test("what still goes on ends now", () => {
  const going = trace([span({ begin: 1, end: null })]);
  assert.equal(rowsOf(going, 5000)[0]?.bars[0]?.to_ms, 5000);
  assert.equal(length_ms(going, 5000), 5000);
  assert.equal(length_ms(trace([], { to: at(0) }), 5000), 1, "never nothing");
});

test("a backup is known to run beside the attempt it was begun for", () => {
  const [row] = rowsOf(
    trace([
      span({ begin: 1, end: 9 }),
      span({ begin: 5, end: 7, attempt: 2 }),
      span({ begin: 10, end: 11, attempt: 3 }),
    ]),
    0,
  );
  assert.deepEqual(
    row?.bars.map(({ beside }) => beside),
    [false, true, false],
  );
});

test("attempts, workers and work are summed up", () => {
  const sum = sumOf(
    rowsOf(
      trace([
        span({ begin: 0, end: 1, ...WAIT }),
        span({ begin: 1, end: 3, outcome: "lost" }),
        span({ begin: 4, end: 6, attempt: 2, worker: "w2" }),
        span({ begin: 1, end: 2, task_id: "audio-00000", outcome: "failed" }),
      ]),
      0,
    ),
  );
  assert.deepEqual(
    [sum.rows, sum.done, sum.attempts, sum.workers, sum.busy_ms],
    [2, 1, 3, 2, 5000],
  );
  assert.deepEqual([sum.outcomes.lost, sum.outcomes.failed], [1, 1]);
});

test("marks of one name that are close are one, and the end is a mark", () => {
  const marks = marksOf(
    trace([], {
      to: at(100),
      status: "completed",
      marks: [
        { at: at(10), name: "playable" },
        { at: at(98), name: "rendition.ready" },
        { at: at(99), name: "rendition.ready" },
      ],
    }),
    100_000,
  );
  assert.deepEqual(marks, [
    { name: "playable", at_ms: 10_000 },
    { name: "rendition ready ×2", at_ms: 98_000 },
    { name: "completed", at_ms: 100_000 },
  ]);
});

test("ticks are at round times of the part that is shown", () => {
  assert.deepEqual(
    ticksOf({ from_ms: 0, to_ms: 95_000 }, 4).map(({ text }) => text),
    ["0 s", "30 s", "1:00", "1:30"],
  );
  assert.deepEqual(
    ticksOf({ from_ms: 61_050, to_ms: 61_450 }, 4).map(({ text }) => text),
    ["1:01.1", "1:01.2", "1:01.3", "1:01.4"],
  );
});

test("looking nearer keeps in its place what one looks at", () => {
  const near = zoomed(whole(100_000), 100_000, 0.5, 40_000);
  assert.deepEqual(near, { from_ms: 20_000, to_ms: 70_000 });
  assert.deepEqual(zoomed(near, 100_000, 4, 40_000), whole(100_000));
  assert.deepEqual(moved(near, 100_000, 90_000), {
    from_ms: 50_000,
    to_ms: 100_000,
  });
});

test("what is not on the screen is brought there, what is stays", () => {
  const part = { from_ms: 0, to_ms: 10_000 };
  const seen = { from_ms: 1000, to_ms: 2000 };
  assert.equal(revealing(part, 100_000, seen), part);
  const there = revealing(part, 100_000, { from_ms: 50_000, to_ms: 51_000 });
  assert.deepEqual(there, { from_ms: 47_500, to_ms: 57_500 });
});

test("a bar says all of it in words", () => {
  const [row] = rowsOf(
    trace([
      span({
        begin: 2,
        end: 6.2,
        attempt: 2,
        outcome: "retried",
        reason: "ENGINE_CRASHED",
        message: "The engine ended with signal 11.",
        attributes: { bytes_read: 1_500_000, waited_s: 90, backup: false },
      }),
    ]),
    0,
  );
  const bar = row?.bars[0];
  assert.ok(row && bar);
  assert.equal(
    spoken(row, bar),
    "transcode chunk 0, attempt 2, failed, and tried again, 4.2 s from 2 s on, worker w1, ENGINE_CRASHED. The engine ended with signal 11.",
  );
  const facts = new Map(factsOf(bar));
  assert.equal(facts.get("bytes read"), "1.5 MB");
  assert.equal(facts.get("waited"), "1 min 30 s");
  assert.ok(!facts.has("backup"));
});

test("a reason without a message is told in the words for its code", () => {
  const [row] = rowsOf(
    trace([span({ begin: 0, end: 1, outcome: "failed", reason: "CORRUPT" })]),
    0,
  );
  assert.ok(row?.bars[0]);
  assert.match(whyWords(row.bars[0]), /^CORRUPT\. The file is damaged/);
});
