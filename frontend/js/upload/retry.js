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
 * be all it needs), "never" gives up.
 * @typedef {{ when: "later" | "now" | "never", atLeast_ms?: number }} Verdict
 */

/**
 * @template T
 * @param {(attempt: number) => Promise<T>} task `attempt` is 1 for the first
 * @param {object} options
 * @param {(error: unknown) => Verdict} options.judge
 * @param {AbortSignal} options.signal
 * @param {number} [options.attempts] in all
 * @param {(milliseconds: number, signal: AbortSignal) => Promise<void>} [options.wait]
 * @param {(error: unknown, attempt: number) => void} [options.onFailure] before each new attempt
 * @returns {Promise<T>}
 */
export async function retry(
  task,
  { judge, signal, attempts = 7, wait = pauseUntilOnline, onFailure },
) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await task(attempt);
    } catch (error) {
      if (signal.aborted) throw error;
      const { when, atLeast_ms = 0 } = judge(error);
      if (when === "never" || attempt >= attempts) throw error;
      onFailure?.(error, attempt);
      if (when === "later")
        await wait(Math.max(atLeast_ms, backoff_ms(attempt)), signal);
    }
  }
}
