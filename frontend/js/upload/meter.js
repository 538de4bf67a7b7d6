// Speed and time left that can be read: over a sliding window, because an average since the start
// is too slow to notice a change and the last event alone jumps about; and the time left counts
// down by itself, bending towards what the speed says.

const WINDOW_MS = 6000;
/** The first moments say little. */
const SETTLE_MS = 3000;
/** How fast the time left follows the speed. */
const BEND_MS = 10_000;

/** @typedef {ReturnType<typeof createMeter>} Meter */

/** @param {() => number} [now] monotonic milliseconds */
export function createMeter(now = () => performance.now()) {
  /** @type {{ at: number, moved: number }[]} */
  let samples = [];
  /** @type {number | null} */
  let level = null;
  let moved = 0;
  /** @type {{ at: number, left_s: number } | null} */
  let told = null;

  function speed() {
    const [first] = samples;
    const last = samples.at(-1);
    if (!first || !last || last.at - first.at < 250) return null;
    return ((last.moved - first.moved) * 1000) / (last.at - first.at);
  }

  return {
    /** @param {number} bytes sent so far, in all */
    note(bytes) {
      // A part that is sent again makes the count fall: that is no speed, and no halt either.
      moved += Math.max(0, bytes - (level ?? bytes));
      level = bytes;
      const at = now();
      samples.push({ at, moved });
      while (samples.length > 2 && at - (samples[0]?.at ?? at) > WINDOW_MS)
        samples.shift();
    },

    /** @returns {number | null} bytes per second; null until it can be told */
    speed,

    /**
     * @param {number} remaining_bytes
     * @returns {number | null} seconds; null until it can be told, and while nothing moves
     */
    left_s(remaining_bytes) {
      const rate = speed();
      const span_ms = now() - (samples[0]?.at ?? now());
      if (!rate || (told === null && span_ms < SETTLE_MS)) {
        told = null;
        return null;
      }
      const at = now();
      const target = remaining_bytes / rate;
      const before = told ?? { at, left_s: target };
      const elapsed_ms = at - before.at;
      const expected = Math.max(0, before.left_s - elapsed_ms / 1000);
      const weight = 1 - Math.exp(-elapsed_ms / BEND_MS);
      told = { at, left_s: expected + (target - expected) * weight };
      return told.left_s;
    },

    reset() {
      samples = [];
      level = null;
      told = null;
    },
  };
}
