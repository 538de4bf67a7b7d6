import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError } from "../../../frontend/js/api.js";
import { refusal } from "../../../frontend/js/upload/accept.js";
import { explain, judge } from "../../../frontend/js/upload/judge.js";
import { createMeter } from "../../../frontend/js/upload/meter.js";
import { cut } from "../../../frontend/js/upload/parts.js";
import { backoff_ms, pause, retry } from "../../../frontend/js/upload/retry.js";
import { TransferError } from "../../../frontend/js/upload/transfer.js";

/** @import { Verdict } from "../../../frontend/js/upload/retry.js" */

test("parts cover every byte once when the size is no multiple", () => {
  assert.deepEqual(cut(25, 10), [
    { number: 1, start: 0, end: 10 },
    { number: 2, start: 10, end: 20 },
    { number: 3, start: 20, end: 25 },
  ]);
  assert.equal(cut(20, 10).length, 2);
  assert.throws(() => cut(20, 0), RangeError);
});

test("waiting doubles, has jitter and a ceiling when failures go on", () => {
  const shortest = [1, 2, 3, 4].map((n) => backoff_ms(n, () => 0));
  assert.deepEqual(shortest, [250, 500, 1000, 2000]);
  const longest = [1, 2, 3, 4].map((n) => backoff_ms(n, () => 1));
  assert.deepEqual(longest, [500, 1000, 2000, 4000]);
  assert.equal(
    backoff_ms(30, () => 1),
    20_000,
  );
});

/** @param {() => Verdict} verdict */
function trial(verdict) {
  /** @type {number[]} */
  const waits = [];
  const controller = new AbortController();
  let runs = 0;
  return {
    waits,
    runs: () => runs,
    run: (/** @type {number} */ failures) =>
      retry(
        async () => {
          runs += 1;
          if (runs <= failures) throw new Error(`failure ${runs}`);
          return "done";
        },
        {
          judge: verdict,
          signal: controller.signal,
          attempts: 4,
          wait: async (milliseconds) => void waits.push(milliseconds),
        },
      ),
  };
}

test("it tries again after a pause when the failure may pass", async () => {
  const { run, runs, waits } = trial(() => ({ when: "later" }));
  assert.equal(await run(2), "done");
  assert.equal(runs(), 3);
  assert.equal(waits.length, 2);
  assert.ok((waits[1] ?? 0) >= 500);
});

test("it tries again at once when a fresh URL is all it needs", async () => {
  const { run, waits } = trial(() => ({ when: "now" }));
  assert.equal(await run(1), "done");
  assert.deepEqual(waits, []);
});

test("it waits as long as the server asked when that is longer", async () => {
  const { run, waits } = trial(() => ({ when: "later", atLeast_ms: 9000 }));
  await run(1);
  assert.deepEqual(waits, [9000]);
});

test("it waits for a token as often as it takes, and counts that as no attempt", async () => {
  let tokens = 0;
  const { signal } = new AbortController();
  const task = async (/** @type {number} */ attempt) => {
    if (attempt <= 5) throw new ApiError(401, "token-expired", "");
    return "done";
  };
  const waitForToken = async () => void (tokens += 1);
  const options = { judge, signal, attempts: 2, waitForToken };
  assert.equal(await retry(task, options), "done");
  assert.equal(tokens, 5);
  await assert.rejects(retry(task, { judge, signal }), {
    code: "token-expired",
  });
});

test("a refused URL is renewed at once, then ever more slowly, then not at all", async () => {
  const { run, runs, waits } = trial(() => ({ when: "now" }));
  await assert.rejects(run(99), /failure 4/);
  assert.equal(runs(), 4);
  assert.equal(waits.length, 2, "the first renewal did not wait");
});

test("it gives up when the failure is final, or after the last attempt", async () => {
  const final = trial(() => ({ when: "never" }));
  await assert.rejects(final.run(1), /failure 1/);
  const stubborn = trial(() => ({ when: "later" }));
  await assert.rejects(stubborn.run(9), /failure 4/);
  assert.equal(stubborn.runs(), 4);
});

test("a pause ends at once when it is aborted", async () => {
  const controller = new AbortController();
  const waiting = pause(60_000, controller.signal);
  controller.abort(new Error("stopped"));
  await assert.rejects(waiting, /stopped/);
});

test("failures are judged by whether time or a new URL can help", () => {
  const cases = /** @type {const} */ ([
    [new TransferError(0, ""), "later"],
    [new TransferError(500, "InternalError"), "later"],
    [new TransferError(400, "RequestTimeout"), "later"],
    [new TransferError(403, "AccessDenied"), "now"],
    [new TransferError(400, "EntityTooLarge"), "never"],
    [new ApiError(0, "network", ""), "later"],
    [new ApiError(503, "unavailable", ""), "later"],
    [new ApiError(401, "token-expired", ""), "token"],
    [new ApiError(403, "role-missing", ""), "token"],
    [new ApiError(403, "not-owner", ""), "never"],
    [new ApiError(422, "validation-failed", ""), "never"],
    [new Error("a bug"), "never"],
  ]);
  for (const [error, when] of cases)
    assert.equal(judge(error).when, when, String(error));
  assert.equal(judge(new ApiError(503, "unavailable", "", 7)).atLeast_ms, 7000);
});

test("a person is told what to do when the token is at fault", () => {
  assert.match(explain(new ApiError(401, "token-expired", "x")), /new one/);
  assert.match(
    explain(new ApiError(401, "token-unknown", "x")),
    /not accepted/,
  );
  assert.match(
    explain(new ApiError(403, "role-missing", "x")),
    /may not upload/,
  );
});

test("speed is that of the last seconds, and unknown at first", () => {
  let now = 0;
  const meter = createMeter(() => now);
  meter.note(0);
  assert.equal(meter.speed(), null);
  for (now = 1000; now <= 20_000; now += 1000) meter.note(now * 100);
  now -= 1000;
  assert.equal(meter.speed(), 100_000);
  // The line becomes ten times slower: six seconds later that is all that counts.
  const sent = now * 100;
  for (let i = 1; i <= 10; i += 1) {
    now += 1000;
    meter.note(sent + i * 10_000);
  }
  assert.equal(meter.speed(), 10_000);
});

test("speed goes on when a part has to be sent again", () => {
  let now = 0;
  const meter = createMeter(() => now);
  for (; now <= 4000; now += 1000) meter.note(now);
  // Half of the part under way is lost; what is sent after it counts as ever.
  for (let sent = 2500; now <= 8000; now += 1000, sent += 1000)
    meter.note(sent);
  const speed = meter.speed() ?? 0;
  assert.ok(speed > 700 && speed <= 1000, String(speed));
});

test("the time left counts down steadily when the speed jumps about", () => {
  let now = 0;
  let sent = 0;
  const meter = createMeter(() => now);
  /** @type {number[]} */
  const told = [];
  for (let second = 0; second < 60; second += 1) {
    sent += second % 2 ? 150_000 : 50_000; // 100 kB/s on average
    now += 1000;
    meter.note(sent);
    const left_s = meter.left_s(10_000_000 - sent);
    if (left_s !== null && second > 8) told.push(left_s);
  }
  for (const [index, left_s] of told.slice(1).entries()) {
    const step = (told[index] ?? 0) - left_s;
    assert.ok(step > 0 && step < 3, `a step of ${step} s in one second`);
  }
  assert.ok(Math.abs((told.at(-1) ?? 0) - 40) < 5, String(told.at(-1)));
});

test("no time is told while nothing moves", () => {
  let now = 0;
  const meter = createMeter(() => now);
  for (; now < 10_000; now += 1000) meter.note(5000);
  assert.equal(meter.left_s(1000), null);
});

test("a file is refused in words when it is empty or no video by its name", () => {
  assert.equal(refusal({ name: "a.MP4", size: 1 }), null);
  assert.match(refusal({ name: "a.mp4", size: 0 }) ?? "", /empty/);
  const limits = { extensions: [".mp4"], max_bytes: 1_000_000 };
  assert.equal(refusal({ name: "a.mp4", size: 1_000_000 }, limits), null);
  assert.match(
    refusal({ name: "a.mp4", size: 2_500_000 }, limits) ?? "",
    /has 2\.5 MB\. At most 1\.0 MB/,
  );
  assert.match(refusal({ name: "notes.txt", size: 1 }) ?? "", /\.txt files/);
  assert.match(
    refusal({ name: "README", size: 1 }) ?? "",
    /without an extension/,
  );
  assert.match(
    refusal({ name: ".mp4", size: 1 }) ?? "",
    /without an extension/,
  );
});
