// What other tabs of this browser are sending: their uploads are not offered here to go on with.

const ANSWERS_MS = 200;

/** @typedef {ReturnType<typeof createTabs>} Tabs */

/** @param {() => string[]} mine ids of the videos this tab is sending */
export function createTabs(mine) {
  const channel = new BroadcastChannel("millrace.uploads");
  /** @type {Set<string>} */
  const elsewhere = new Set();
  channel.onmessage = ({ data }) => {
    if (data?.ask) channel.postMessage({ sending: mine() });
    else if (Array.isArray(data?.sending))
      for (const id of data.sending) elsewhere.add(String(id));
  };
  return {
    /** @returns {Promise<ReadonlySet<string>>} ids of the videos that other tabs are sending */
    async ask() {
      elsewhere.clear();
      channel.postMessage({ ask: true });
      await new Promise((resolve) => setTimeout(resolve, ANSWERS_MS));
      return new Set(elsewhere);
    },
    destroy: () => channel.close(),
  };
}
