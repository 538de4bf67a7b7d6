// Speed and time left, over a sliding window: an average since the start is too slow to notice a
// change, the last event alone jumps about.

const WINDOW_MS = 6000;

/** @typedef {ReturnType<typeof createMeter>} Meter */

/** @param {() => number} [now] monotonic milliseconds */
export function createMeter(now = () => performance.now()) {
  /** @type {{ at: number, bytes: number }[]} */
  let samples = [];
  return {
    /** @param {number} bytes sent so far, in all */
    note(bytes) {
      const at = now();
      // A part that is sent again makes the count fall: measure anew.
      if (bytes < (samples.at(-1)?.bytes ?? 0)) samples = [];
      samples.push({ at, bytes });
      while (samples.length > 2 && at - (samples[0]?.at ?? at) > WINDOW_MS)
        samples.shift();
    },
    /** @returns {number | null} bytes per second; null until it can be told */
    speed() {
      const [first] = samples;
      const last = samples.at(-1);
      if (!first || !last || last.at - first.at < 250) return null;
      return ((last.bytes - first.bytes) * 1000) / (last.at - first.at);
    },
    reset() {
      samples = [];
    },
  };
}
