// Tries again with exponential back-off and jitter.

const FIRST_MS = 500;
const MAX_MS = 20_000;

/**
 * Half fixed, half random: many browsers that failed together do not come back together.
 * @param {number} attempt 1 after the first failure
 * @param {() => number} [random] 0…1
 * @returns {number} milliseconds to wait
 */
export function backoff_ms(attempt, random = Math.random) {
  const ceiling = Math.min(MAX_MS, FIRST_MS * 2 ** (attempt - 1));
  return ceiling / 2 + (ceiling / 2) * random();
}

/**
 * @param {number} milliseconds
 * @param {AbortSignal} signal
 * @returns {Promise<void>} rejects with the signal's reason when it is aborted
 */
export function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(done, milliseconds);
    function done() {
      signal.removeEventListener("abort", give);
      resolve();
    }
    function give() {
      clearTimeout(timer);
      reject(signal.reason);
    }
    if (signal.aborted) give();
    else signal.addEventListener("abort", give, { once: true });
  });
}

/**
 * Like `pause`, and then until the browser has a network again: attempts made without one would
 * only be used up.
 * @param {number} milliseconds
 * @param {AbortSignal} signal
 */
export async function pauseUntilOnline(milliseconds, signal) {
  await pause(milliseconds, signal);
  while (globalThis.navigator?.onLine === false) await pause(1000, signal);
}

/**
 * What to do about a failure: "later" waits longer each time, "now" tries at once (a fresh URL may
 * be all it needs), "token" waits for another access token, "never" gives up.
 * @typedef {{ when: "later" | "now" | "token" | "never", atLeast_ms?: number }} Verdict
 */

/**
 * @typedef {object} RetryOptions
 * @property {(error: unknown) => Verdict} judge
 * @property {AbortSignal} signal
 * @property {number} [attempts] in all; those that waited for a token do not count
 * @property {(milliseconds: number, signal: AbortSignal) => Promise<void>} [wait]
 * @property {(signal: AbortSignal) => Promise<void>} [waitForToken] absent: a failure for want of
 *   a token is final
 * @property {(error: unknown, wait_ms: number) => void} [onFailure] before each new attempt
 */

/** Enough for an outage of several minutes. */
const ATTEMPTS = 20;
/** One fresh URL is expected to do. */
const REFUSALS = 5;

/**
 * @template T
 * @param {(attempt: number) => Promise<T>} task `attempt` is 1 for the first
 * @param {RetryOptions} options
 * @returns {Promise<T>}
 */
export async function retry(
  task,
  {
    judge,
    signal,
    attempts = ATTEMPTS,
    wait = pauseUntilOnline,
    waitForToken,
    onFailure,
  },
) {
  let failures = 0;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await task(attempt);
    } catch (error) {
      if (signal.aborted) throw error;
      const { when, atLeast_ms = 0 } = judge(error);
      if (when === "token" && waitForToken) {
        await waitForToken(signal);
        continue;
      }
      failures += 1;
      const most = when === "now" ? Math.min(attempts, REFUSALS) : attempts;
      if (when === "never" || when === "token" || failures >= most) throw error;
      // A fresh URL that is refused as well needs more than another one.
      const wait_ms =
        when === "now" && failures === 1
          ? 0
          : Math.max(atLeast_ms, backoff_ms(failures));
      onFailure?.(error, wait_ms);
      if (wait_ms > 0) await wait(wait_ms, signal);
    }
  }
}
