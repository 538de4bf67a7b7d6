// Asks again and again, as often as it is worth: quickly while work is under way, seldom when
// nothing changes, not at all while nobody looks.

const ACTIVE_MS = 1500;
const LOOK_MS = 400;
const IDLE_MS = 5000;
const IDLE_MAX_MS = 60_000;
const ERROR_MS = 2000;
const ERROR_MAX_MS = 30_000;

/**
 * @param {{ active: boolean, quiet: number, errors: number }} last whether work is under way, how
 *   many answers in a row brought nothing new, how many requests in a row failed
 * @returns {number} milliseconds until the next request
 */
export function nextDelay_ms({ active, quiet, errors }) {
  if (errors > 0)
    return Math.min(ERROR_MAX_MS, ERROR_MS * 2 ** Math.min(errors - 1, 8));
  if (active) return ACTIVE_MS;
  // The first minute of quiet stays brisk, as a person may be waiting for an upload elsewhere.
  return Math.min(
    IDLE_MAX_MS,
    IDLE_MS * 2 ** Math.max(0, Math.min(quiet - 12, 8)),
  );
}

/** @typedef {{ active: boolean, changed: boolean }} PollOutcome */

/**
 * @param {object} options
 * @param {(signal: AbortSignal) => Promise<PollOutcome>} options.poll
 * @param {(error: unknown) => void} [options.onError]
 * @param {Document} [options.document]
 */
export function createPoller({ poll, onError, document = window.document }) {
  const controller = new AbortController();
  const last = { active: false, quiet: 0, errors: 0 };
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  let running = false;
  /** Set when someone asked while a request was under way: its answer may already be old. */
  let again = false;

  async function run() {
    clearTimeout(timer);
    if (running) {
      again = true;
      return;
    }
    running = true;
    again = false;
    try {
      const { active, changed } = await poll(controller.signal);
      last.active = active;
      last.quiet = changed ? 0 : last.quiet + 1;
      last.errors = 0;
    } catch (error) {
      if (controller.signal.aborted) return;
      last.errors += 1;
      onError?.(error);
    } finally {
      running = false;
    }
    schedule();
  }

  function schedule() {
    if (controller.signal.aborted) return;
    clearTimeout(timer);
    if (again) void run();
    else if (!document.hidden) timer = setTimeout(run, nextDelay_ms(last));
  }

  document.addEventListener(
    "visibilitychange",
    () => (document.hidden ? clearTimeout(timer) : void run()),
    { signal: controller.signal },
  );

  return {
    /** Ask now; later requests follow by themselves. */
    now: () => {
      last.quiet = 0;
      void run();
    },
    /** Other things are looked at: ask soon, and not at each of many such moments. */
    look: () => {
      if (running || document.hidden || last.errors > 0) return;
      last.quiet = 0;
      clearTimeout(timer);
      timer = setTimeout(run, LOOK_MS);
    },
    destroy() {
      clearTimeout(timer);
      controller.abort();
    },
  };
}
