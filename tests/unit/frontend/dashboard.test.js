import assert from "node:assert/strict";
import { test } from "node:test";
import {
  counted,
  dollars,
  lasting,
  share,
} from "../../../frontend/js/dashboard/numbers.js";
import { readRange, writeRange } from "../../../frontend/js/dashboard/range.js";
import { binNames, trimmed } from "../../../frontend/js/dashboard/spread.js";
import {
  bottomsUp,
  coarser,
  shares,
} from "../../../frontend/js/dashboard/steps.js";
import {
  activeWords,
  depthWords,
  errorWords,
  spreadWords,
  troubleWords,
} from "../../../frontend/js/dashboard/summary.js";
import {
  append,
  keyOf,
  NONE,
  refresh,
} from "../../../frontend/js/letters/pages.js";
import { sumWords } from "../../../frontend/js/letters/redriving.js";

/** @import { Letter, Stats } from "../../../frontend/js/dashboard/types.js" */

test("what is not known is a dash", () => {
  assert.deepEqual(
    [lasting(null), dollars(undefined), share(NaN)],
    ["–", "–", "–"],
  );
});

test("times are told in two units at most, and never as 60 of one", () => {
  const told = [0.44, 9.96, 59.6, 119.9, 3599.9, 7384, 100_000].map(lasting);
  assert.deepEqual(told, [
    "0.4 s",
    "10 s",
    "1 min",
    "2 min",
    "1 h",
    "2 h 3 min",
    "1 d 4 h",
  ]);
});

test("small sums keep the digits that tell something", () => {
  const sums = [0, 12.345, 0.0123, 0.00042, 0.9].map(dollars);
  assert.deepEqual(sums, ["$0.00", "$12.35", "$0.012", "$0.00042", "$0.90"]);
});

test("one is told apart from many", () => {
  assert.equal(counted(1, "retry", "retries"), "1 retry");
  assert.equal(counted(1200, "retry", "retries"), "1,200 retries");
});

test("a range that nobody offers is the usual one", () => {
  assert.equal(readRange("?range=7d"), "7d");
  assert.equal(readRange("?range=toString"), "24h");
  assert.equal(
    writeRange("https://m.example/d?range=7d", "24h"),
    "https://m.example/d",
  );
});

test("columns stand on those below them", () => {
  assert.deepEqual(
    bottomsUp([
      [1, null, 3],
      [1, 1, 1],
    ]),
    [
      [1, 0, 3],
      [2, 1, 4],
    ],
  );
});

test("steps are put together at round times: sums add up, of samples the most counts", () => {
  const fine = {
    at: [50, 60, 70, 80],
    step_s: 10,
    lines: [
      { values: [1, 2, 3, 4], sums: true },
      { values: [5, null, 3, null], sums: false },
      { values: [null, null, null, 0], sums: false },
    ],
  };
  const { at, step_s, lines } = coarser(fine, 2);
  assert.deepEqual([at, step_s], [[40, 60, 80], 20]);
  assert.deepEqual(
    lines.map(({ values }) => values),
    [
      [1, 5, 4],
      [5, 3, null],
      [null, null, 0],
    ],
  );
});

test("a share of several steps is that of their sums, and none of nothing", () => {
  const failed = {
    values: [1, 0, 2, 0, 0, 0],
    among: [1, 3, 2, 2, 0, 0],
    sums: true,
  };
  const fine = { at: [0, 10, 20, 30, 40, 50], step_s: 10, lines: [failed] };
  const [line] = coarser(fine, 3).lines;
  assert.deepEqual(shares(line?.values ?? [], line?.among ?? []), [
    0.25,
    0.5,
    null,
  ]);
});

test("few steps stay as they are", () => {
  const fine = { at: [0, 10], step_s: 10, lines: [] };
  assert.deepEqual(coarser(fine, 2), fine);
});

test("the last bucket is what is longer than the one before", () => {
  const names = binNames([
    { le: 30, count: 0 },
    { le: 300, count: 0 },
    { le: null, count: 0 },
  ]).map(({ name }) => name);
  assert.deepEqual(names, ["≤ 30", "≤ 5 m", "> 5 m"]);
});

test("empty buckets at the end are left out, but for one", () => {
  const buckets = Array.from({ length: 20 }, (_, i) => ({
    le: i + 1,
    count: i === 12 ? 3 : 0,
  }));
  assert.equal(trimmed(buckets).length, 14);
  assert.equal(
    trimmed(buckets.map((each) => ({ ...each, count: 0 }))).length,
    10,
  );
});

test("a spread of none and of one are told in words of their own", () => {
  const none = { count: 0, p50: null, p95: null, buckets: [] };
  assert.equal(spreadWords(none, "playable"), "No video became playable.");
  assert.equal(
    spreadWords({ ...none, count: 1, p50: 2 }, "complete"),
    "One video, complete after 2 s.",
  );
});

test("no trouble is said to be none, and much of it is counted", () => {
  const window = /** @type {Stats["window"]} */ (
    /** @type {unknown} */ ({ retries: 0, dead_letters: 0, lost_workers: 0 })
  );
  assert.equal(troubleWords(window), "No trouble.");
  assert.equal(
    troubleWords({ ...window, retries: 1, lost_workers: 2 }),
    "1 retry, 0 dead letters, 2 workers lost.",
  );
});

test("the deepest queue is named with its time", () => {
  const stats = /** @type {Stats} */ (
    /** @type {unknown} */ ({
      step_s: 60,
      queues: [{ waiting: 2 }, { waiting: 1 }],
      series: {
        at: ["2026-05-12T10:00:00", "2026-05-12T10:01:00"],
        queue_depth: { probe: [1, 2], transcode: [null, 7] },
      },
    })
  );
  assert.equal(
    depthWords(stats),
    "3 messages waiting. Most: 7 in transcode (10:01).",
  );
});

test("the deepest queue is that of now when it never was as deep", () => {
  const stats = /** @type {Stats} */ (
    /** @type {unknown} */ ({
      step_s: 60,
      queues: [{ name: "probe", waiting: 9 }],
      series: {
        at: ["2026-05-12T10:00:00", "2026-05-12T10:01:00"],
        queue_depth: { probe: [1, 2], transcode: [null, 7] },
      },
    })
  );
  assert.equal(
    depthWords(stats),
    "9 messages waiting. Most: 9 in probe (10:01).",
  );
});

test("as many as now are on the way at most, at least", () => {
  const stats = /** @type {Stats} */ (
    /** @type {unknown} */ ({
      step_s: 60,
      videos: { queued: 3, processing: 2 },
      series: {
        at: ["2026-05-12T10:00:00", "2026-05-12T10:01:00"],
        active: [1, null],
      },
    })
  );
  assert.equal(activeWords(stats), "5 now, 5 at most (10:01).");
});

test("the error rate is told with what it is of", () => {
  const window = /** @type {Stats["window"]} */ (
    /** @type {unknown} */ ({ completed: 7, failed: 1, error_rate: 0.125 })
  );
  assert.equal(errorWords(window), "1 of 8 videos that ended failed, 12.5 %.");
  assert.equal(
    errorWords({ ...window, completed: 0, failed: 0, error_rate: null }),
    "No video ended.",
  );
});

/** @param {string} task_id @param {string} failed_at @returns {Letter} */
const letter = (task_id, failed_at) => ({
  video_id: "v",
  title: "Mill wheel",
  task_id,
  queue: "transcode",
  status: "dead",
  failed_at,
  reason: { code: "INTERNAL", message: "" },
  attempts: [],
  engine_log: "",
});

test("a fresh first page takes the place of what it covers and keeps what is older", () => {
  const [a, b, c, d] = ["4", "3", "2", "1"].map((time) => letter(time, time));
  assert.ok(a && b && c && d);
  const known = append(
    append(NONE, { dead_letters: [b, c], next_cursor: "x" }),
    { dead_letters: [c, d], next_cursor: null },
  );
  assert.deepEqual(known.letters.map(keyOf), ["v/3", "v/2", "v/1"]);
  const fresh = refresh(known, { dead_letters: [a, c], next_cursor: "y" });
  assert.deepEqual(fresh.letters.map(keyOf), ["v/4", "v/2", "v/1"]);
  assert.equal(fresh.next, null);
  const whole = refresh(known, { dead_letters: [a], next_cursor: null });
  assert.deepEqual(whole.letters.map(keyOf), ["v/4"]);
});

test("a page that shows nothing older goes on where it ends", () => {
  const page = { dead_letters: [letter("1", "1")], next_cursor: "x" };
  assert.equal(refresh(NONE, page).next, "x");
});

test("what was left is told beside what was set going again", () => {
  assert.equal(
    sumWords({ redriven: 2, skipped: 1 }),
    "2 videos are under way again. 1 video was left: cancelled, being deleted, or refused when it arrived.",
  );
  assert.match(sumWords({ redriven: 0, skipped: 0 }), /^Nothing was set/);
});
