// Where requests wait for another access token, and from where all go on when there is one.

/** @typedef {ReturnType<typeof createGate>} Gate */

export function createGate() {
  /** @type {Set<() => void>} */
  const waiting = new Set();
  return {
    /**
     * @param {AbortSignal} signal
     * @returns {Promise<void>} rejects with the signal's reason when it is aborted
     */
    wait: (signal) =>
      new Promise((resolve, reject) => {
        const give = () => {
          waiting.delete(go);
          reject(signal.reason);
        };
        const go = () => {
          signal.removeEventListener("abort", give);
          resolve();
        };
        if (signal.aborted) return give();
        waiting.add(go);
        signal.addEventListener("abort", give, { once: true });
      }),

    open() {
      const ready = [...waiting];
      waiting.clear();
      for (const go of ready) go();
    },
  };
}
