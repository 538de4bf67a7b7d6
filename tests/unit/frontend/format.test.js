import assert from "node:assert/strict";
import { test } from "node:test";
import {
  ago,
  clock,
  rate,
  remaining,
  resolution,
  size,
  statusWords,
} from "../../../frontend/js/format.js";
import { factsOf, rungsOf } from "../../../frontend/js/watch/facts.js";
import { parseTime } from "../../../frontend/js/watch/time.js";

test("durations read like a clock, and are empty when unknown", () => {
  const cases = /** @type {const} */ ([
    [0, "0:00"],
    [0.04, "0:01"],
    [59.9, "0:59"],
    [60, "1:00"],
    [3905, "1:05:05"],
    [null, ""],
    [NaN, ""],
  ]);
  for (const [seconds, words] of cases) assert.equal(clock(seconds), words);
});

test("sizes and rates have three figures at most", () => {
  assert.equal(size(60), "60 bytes");
  assert.equal(size(16_777_216), "16.8 MB");
  assert.equal(size(999_000_000), "999 MB");
  assert.equal(size(null), "");
  assert.equal(rate(2_800_000), "2.8 Mb/s");
  assert.equal(rate(128_000), "128 kb/s");
});

test("the time left is rounded to what can be promised", () => {
  assert.equal(remaining(null), "");
  assert.equal(remaining(Infinity), "");
  assert.equal(remaining(2), "a few seconds left");
  assert.equal(remaining(41), "45 s left");
  assert.equal(remaining(61), "2 min left");
  assert.equal(remaining(5400), "1.5 h left");
});

test("moments are told relative to now, then by date", () => {
  const now = Date.parse("2026-05-12T12:00:00Z");
  assert.equal(ago("2026-05-12T11:59:50Z", now), "just now");
  assert.equal(
    ago("2026-05-12T12:00:30Z", now),
    "just now",
    "a clock that is ahead",
  );
  assert.equal(ago("2026-05-12T11:55:00Z", now), "5 minutes ago");
  assert.equal(ago("2026-05-11T12:00:00Z", now), "yesterday");
  assert.equal(ago("2025-12-24T12:00:00Z", now), "24 Dec 2025");
  assert.equal(ago(null, now), "");
});

test("an upright video is named by its short side", () => {
  assert.equal(resolution({ width: 1080, height: 1920 }), "1080p");
  assert.equal(resolution({ width: null, height: null }), "");
});

test("only work under way has a percent", () => {
  assert.equal(
    statusWords({ status: "processing", percent: 41.9 }),
    "Processing 41 %",
  );
  assert.equal(statusWords({ status: "completed", percent: 100 }), "Completed");
});

test("only known facts are listed, and silence is a fact", () => {
  const facts = Object.fromEntries(
    factsOf({
      id: "1",
      title: "t",
      status: "completed",
      duration_s: 52.2,
      width: 1280,
      height: 720,
      media: {
        format: { container: "mp4", bytes: 7_608_204 },
        video: [{ codec: "h264", frame_rate: { num: 30_000, den: 1001 } }],
        audio: [],
      },
    }),
  );
  assert.deepEqual(facts, {
    Duration: "0:52",
    Source: "1280 × 720 (720p)",
    Picture: "H.264, 29.97 frames/s",
    Sound: "none",
    File: "MP4, 7.6 MB",
  });
  assert.deepEqual(factsOf({ id: "1", title: "t", status: "queued" }), []);
});

test("renditions are listed from the top, with bars in proportion", () => {
  const ladder = rungsOf([
    { name: "360p", width: 640, height: 360, maxrate_bps: 800_000 },
    { name: "720p", width: 1280, height: 720, maxrate_bps: 3_200_000 },
  ]);
  assert.deepEqual(
    ladder.map(({ name, level }) => [name, level]),
    [
      ["720p", 1],
      ["360p", 0.25],
    ],
  );
});

test("a start time is read in the ways people write it", () => {
  const cases = /** @type {const} */ ([
    ["90", 90],
    ["90s", 90],
    ["1m30s", 90],
    ["1h", 3600],
    ["1:30", 90],
    ["1:00:05", 3605],
    ["0", 0],
    ["-5", undefined],
    ["soon", undefined],
    ["", undefined],
    [null, undefined],
  ]);
  for (const [text, seconds] of cases)
    assert.equal(parseTime(text), seconds, String(text));
});
