import assert from "node:assert/strict";
import { test } from "node:test";
import { createPoller, nextDelay_ms } from "../../../frontend/js/poller.js";

const calm = { active: false, quiet: 0, errors: 0 };

test("it asks quickly when work is under way", () => {
  assert.ok(nextDelay_ms({ ...calm, active: true, quiet: 100 }) <= 2000);
});

test("it asks ever more seldom when nothing changes, and never less than once a minute", () => {
  const delays = [0, 13, 14, 15, 16, 50].map((quiet) =>
    nextDelay_ms({ ...calm, quiet }),
  );
  assert.deepEqual(
    delays,
    [...delays].sort((a, b) => a - b),
  );
  assert.ok((delays[1] ?? 0) > (delays[0] ?? 0));
  assert.equal(delays.at(-1), 60_000);
});

test("it backs off when requests fail, even while work is under way", () => {
  const delays = [1, 2, 3, 9].map((errors) =>
    nextDelay_ms({ active: true, quiet: 0, errors }),
  );
  assert.deepEqual(delays, [2000, 4000, 8000, 30_000]);
});

/** A page that can be hidden. */
class Page extends EventTarget {
  hidden = false;
}

test("it stops when the page is hidden and asks at once when it is shown again", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const page = new Page();
  let asked = 0;
  const poller = createPoller({
    poll: async () => {
      asked += 1;
      return { active: true, changed: true };
    },
    document: /** @type {any} */ (page),
  });
  const settle = async () => {
    for (let i = 0; i < 5; i += 1) await Promise.resolve();
  };
  poller.now();
  await settle();
  assert.equal(asked, 1);
  t.mock.timers.tick(1500);
  await settle();
  assert.equal(asked, 2);

  page.hidden = true;
  page.dispatchEvent(new Event("visibilitychange"));
  t.mock.timers.tick(600_000);
  await settle();
  assert.equal(asked, 2);

  page.hidden = false;
  page.dispatchEvent(new Event("visibilitychange"));
  await settle();
  assert.equal(asked, 3);

  poller.destroy();
  t.mock.timers.tick(600_000);
  await settle();
  assert.equal(asked, 3);
});
