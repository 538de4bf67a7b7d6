// What the player remembers on this device: where a video was left, how loud it was.

const POSITIONS = "millrace.player.positions";
const VOLUME = "millrace.player.volume";
/** The oldest are forgotten. */
const MOST_POSITIONS = 200;
/** Nearer to the beginning or to the end than this, there is nothing to resume. */
const EDGE_S = 5;

/** @typedef {ReturnType<typeof createMemory>} Memory */

/**
 * @param {Storage | null} storage null where the browser forbids it: nothing is remembered then
 * @param {string} key
 * @returns {unknown}
 */
function read(storage, key) {
  try {
    return JSON.parse(storage?.getItem(key) ?? "null");
  } catch {
    return null; // not ours
  }
}

/**
 * @param {Storage | null} storage
 * @param {string} key
 * @param {unknown} value
 */
function write(storage, key, value) {
  try {
    storage?.setItem(key, JSON.stringify(value));
  } catch {
    // Full or forbidden: playing goes on without.
  }
}

/** @returns {Storage | null} */
export function deviceStorage() {
  try {
    return localStorage;
  } catch {
    return null; // in a frame whose cookies are blocked, even the name throws
  }
}

/** @param {Storage | null} storage */
export function createMemory(storage) {
  /** @returns {[key: string, time_s: number][]} oldest first */
  const positions = () => {
    const stored = read(storage, POSITIONS);
    return Array.isArray(stored)
      ? stored.filter(
          (each) =>
            Array.isArray(each) &&
            typeof each[0] === "string" &&
            Number.isFinite(each[1]),
        )
      : [];
  };
  return {
    /** @param {string} key of the video @returns {number} seconds; 0 if it is not known */
    position: (key) => positions().find(([known]) => known === key)?.[1] ?? 0,
    /**
     * @param {string} key of the video
     * @param {number} time_s
     * @param {number} total_s
     */
    keepPosition(key, time_s, total_s) {
      const others = positions().filter(([known]) => known !== key);
      if (time_s >= EDGE_S && total_s - time_s > EDGE_S)
        others.push([key, Math.floor(time_s)]);
      write(storage, POSITIONS, others.slice(-MOST_POSITIONS));
    },
    /** @returns {{ volume: number, muted: boolean } | null} */
    volume() {
      const { volume, muted } = /** @type {Record<string, unknown>} */ (
        read(storage, VOLUME) ?? {}
      );
      return typeof volume === "number" && volume >= 0 && volume <= 1
        ? { volume, muted: muted === true }
        : null;
    },
    /** @param {{ volume: number, muted: boolean }} audible */
    keepVolume: ({ volume, muted }) =>
      write(storage, VOLUME, { volume, muted }),
  };
}
