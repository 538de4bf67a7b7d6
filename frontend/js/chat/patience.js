// What is said of a server that has not let one in yet. Functions that nobody called for a while
// start cold, which takes seconds: that is no failure.

/** @typedef {"asked" | "waking" | "silent"} Patience */

/** Longer than a function takes that is awake. */
export const WAKING_MS = 3000;
/** Longer than a cold start takes. */
export const SILENT_MS = 15_000;

/** @param {(patience: Patience) => void} onChange */
export function createPatience(onChange) {
  /** @type {ReturnType<typeof setTimeout>[]} */
  let timers = [];

  function end() {
    for (const timer of timers) clearTimeout(timer);
    timers = [];
  }

  return {
    begin() {
      end();
      onChange("asked");
      timers = [
        setTimeout(() => onChange("waking"), WAKING_MS),
        setTimeout(() => onChange("silent"), SILENT_MS),
      ];
    },
    /** It answered, or is not asked any more. */
    end,
  };
}
