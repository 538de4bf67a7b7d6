// Uploads that were begun before the page was loaded again: a row each, which asks for its file.
import { difference, identify } from "./identity.js";
import { isOver } from "./judge.js";
import { createRow } from "./row.js";

/** @import { Api } from "../api.js" */
/** @import { Entry, Ledger } from "./ledger.js" */
/** @import { Row } from "./row.js" */
/** @import { Tabs } from "./tabs.js" */
/** @import { Tracker } from "./tracker.js" */

/** @typedef {{ entry: Entry, row: Row, stored_bytes: number | null, picked: File | null,
 *   complaint: string | null }} Leftover `complaint` is about the file that was picked */
/** @typedef {ReturnType<typeof createLeftovers>} Leftovers */

/**
 * @param {object} options
 * @param {HTMLElement} options.element the list the rows go into
 * @param {HTMLInputElement} options.picker
 * @param {Api} options.api
 * @param {Ledger} options.ledger
 * @param {Tabs} options.tabs
 * @param {Tracker} options.tracker
 * @param {(file: File, entry: Entry | null, row: Row) => void} options.onFile a file was found for
 *   the row, which is to be replaced: with its entry it goes on, without it is sent anew
 * @param {() => void} options.onChange
 */
export function createLeftovers({
  element,
  picker,
  api,
  ledger,
  tabs,
  tracker,
  onFile,
  onChange,
}) {
  const controller = new AbortController();
  /** @type {Set<Leftover>} */
  const leftovers = new Set();
  /** Rows of what turned out to be over. */
  /** @type {Set<Row>} */
  const ended = new Set();
  /** @type {Leftover | null} */
  let asking = null;

  /** @param {Leftover} leftover */
  const show = ({ row, entry, stored_bytes, complaint, picked }) =>
    row.showUnfinished({
      stored_bytes,
      begunAt: entry.begunAt,
      complaint,
      canRestart: picked !== null,
    });

  /** @param {Leftover} leftover @param {string} complaint */
  function complain(leftover, complaint) {
    leftover.complaint = complaint;
    show(leftover);
  }

  /** @param {Leftover} leftover */
  function drop(leftover) {
    leftovers.delete(leftover);
    leftover.row.destroy();
    onChange();
  }

  /** @param {Leftover} leftover @param {string} why */
  function end(leftover, why) {
    ledger.forget(leftover.entry.videoId);
    leftovers.delete(leftover);
    ended.add(leftover.row);
    leftover.row.showEnded(why);
    onChange();
  }

  /** @param {Leftover} leftover */
  async function discard(leftover) {
    try {
      await api.abortUpload(leftover.entry.videoId);
    } catch (error) {
      if (!isOver(error)) {
        const why = error instanceof Error ? error.message : "";
        complain(leftover, `It could not be discarded. ${why}`);
        return;
      }
    }
    ledger.forget(leftover.entry.videoId);
    drop(leftover);
  }

  /** @param {Leftover} leftover */
  function restart(leftover) {
    const { picked, row, entry } = leftover;
    if (!picked) return;
    // Nothing waits for it: what is not aborted now, expires.
    void api.abortUpload(entry.videoId).catch(() => {});
    ledger.forget(entry.videoId);
    leftovers.delete(leftover);
    onFile(picked, null, row);
  }

  /** @param {Leftover} leftover It is over: the answer to its end may have been lost on its way. */
  async function settle(leftover) {
    const { videoId } = leftover.entry;
    const video = await api
      .getVideo(videoId, controller.signal)
      .catch(() => null);
    end(leftover, "This upload was finished or given up elsewhere.");
    if (video) tracker.follow(videoId, (now) => leftover.row.showVideo(now));
  }

  /** @param {Leftover} leftover asks storage, through the API, how much it has */
  async function look(leftover) {
    const { entry } = leftover;
    try {
      const { parts } = await api.listParts(entry.videoId, controller.signal);
      const stored = parts.reduce(
        (sum, part) => sum + (part.size_bytes ?? 0),
        0,
      );
      leftover.stored_bytes = stored;
      if (leftovers.has(leftover)) show(leftover);
    } catch (error) {
      if (isOver(error) && leftovers.has(leftover)) await settle(leftover);
    }
  }

  /** @param {Leftover} leftover @param {File} file */
  async function offer(leftover, file) {
    const why = difference(leftover.entry, await identify(file));
    if (!leftovers.has(leftover)) return;
    if (why === null) {
      leftovers.delete(leftover);
      onFile(file, leftover.entry, leftover.row);
      return;
    }
    leftover.picked = file;
    const renamed =
      file.name === leftover.entry.name ? "" : ` It is called ${file.name}.`;
    complain(
      leftover,
      `${why}${renamed} Choose another one, or start over with this one.`,
    );
  }

  /** @param {Entry} entry */
  function add(entry) {
    /** @type {Leftover} */
    const leftover = {
      entry,
      stored_bytes: null,
      picked: null,
      complaint: null,
      row: createRow(entry, (action) => {
        if (action === "choose") {
          asking = leftover;
          picker.click();
        } else if (action === "restart") restart(leftover);
        else if (action === "discard") void discard(leftover);
        else {
          ended.delete(leftover.row);
          drop(leftover);
        }
      }),
    };
    leftovers.add(leftover);
    show(leftover);
    element.append(leftover.row.element);
    void look(leftover);
  }

  picker.addEventListener(
    "change",
    () => {
      const [file] = picker.files ?? [];
      if (file && asking) void offer(asking, file);
      asking = null;
      picker.value = "";
    },
    { signal: controller.signal },
  );

  return {
    count: () => leftovers.size + ended.size,

    /**
     * @param {string} owner name of the token: nobody is shown what another one was sending
     * @param {(videoId: string) => boolean} isHere whether this page itself is sending it
     */
    async show(owner, isHere) {
      const elsewhere = await tabs.ask();
      const shown = new Set([...leftovers].map(({ entry }) => entry.videoId));
      for (const entry of ledger.unfinished())
        if (
          (entry.owner === owner || entry.owner === "") &&
          !elsewhere.has(entry.videoId) &&
          !shown.has(entry.videoId) &&
          !isHere(entry.videoId)
        )
          add(entry);
      onChange();
    },

    hide() {
      for (const leftover of [...leftovers]) drop(leftover);
    },

    /**
     * Whether a file that was picked or dropped belongs to one of the rows, by its name.
     * @param {File} file
     * @returns {boolean} true: it is taken care of
     */
    claim(file) {
      for (const leftover of leftovers)
        if (leftover.entry.name === file.name) {
          void offer(leftover, file);
          return true;
        }
      return false;
    },

    destroy() {
      controller.abort();
      for (const leftover of leftovers) leftover.row.destroy();
      for (const row of ended) row.destroy();
    },
  };
}
