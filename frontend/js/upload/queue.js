// The list of files: two are sent at a time, the others wait.
import { looksLikeVideo, refusal, UNKNOWN_LIMITS } from "./accept.js";
import { createFileForm } from "./fileform.js";
import { createMeter } from "./meter.js";
import { createRow } from "./row.js";
import { createUpload } from "./upload.js";

/** @import { Api } from "../api.js" */
/** @import { Limits } from "./accept.js" */
/** @import { FileForm } from "./fileform.js" */
/** @import { Dropped } from "./folder.js" */
/** @import { Gate } from "./gate.js" */
/** @import { Entry, Ledger } from "./ledger.js" */
/** @import { Action, Row } from "./row.js" */
/** @import { Settings } from "./settings.js" */
/** @import { Tracker } from "./tracker.js" */
/** @import { Phase, Upload, UploadState } from "./upload.js" */

const AT_ONCE = 2;
/** @type {readonly Phase[]} phases in which a file still has to be sent */
const OPEN = ["draft", "waiting", "uploading", "paused"];
/** @type {readonly Phase[]} phases whose files count in the sum */
const COUNTED = [...OPEN, "uploaded"];

/** @typedef {{ upload: Upload, row: Row, form: FileForm }} Job */

/**
 * @typedef {object} Summary
 * @property {number} files rows there are
 * @property {number} open files that still have to be sent
 * @property {number} arrived
 * @property {number} sent_bytes of those that are counted: not the failed and cancelled ones
 * @property {number} total_bytes
 * @property {number | null} speed bytes per second
 * @property {number | null} left_s
 * @property {string | null} needsToken why another token is needed
 * @property {Record<Phase, number>} phases how many are in each
 */

/** @param {File} file what tells two files apart before anything is read of them */
const keyOf = ({ name, size, lastModified }) =>
  `${size} ${lastModified} ${name}`;

/**
 * @param {object} options
 * @param {HTMLElement} options.element the list
 * @param {Api} options.api
 * @param {Gate} options.gate
 * @param {Ledger} options.ledger
 * @param {() => string} options.owner name of the token in use
 * @param {Settings} options.settings
 * @param {Tracker} options.tracker
 * @param {(summary: Summary) => void} options.onChange
 */
export function createQueue({
  element,
  api,
  gate,
  ledger,
  owner,
  settings,
  tracker,
  onChange,
}) {
  /** @type {Set<Job>} */
  const jobs = new Set();
  /** Rows of files that were never sent. */
  /** @type {Set<Row>} */
  const refused = new Set();
  const meter = createMeter();
  let limits = UNKNOWN_LIMITS;
  /** While many files change at once they are summed up when all have. */
  let busy = false;

  /** @param {() => void} change */
  function together(change) {
    busy = true;
    change();
    busy = false;
    startNext();
    summarize();
  }

  const inPhase = (/** @type {Phase[]} */ ...phases) =>
    [...jobs].filter(({ upload }) => phases.includes(upload.state().phase));

  /** @param {number} remaining_bytes */
  function pace(remaining_bytes) {
    if (inPhase("uploading").length === 0) {
      meter.reset();
      return { speed: null, left_s: null };
    }
    return { speed: meter.speed(), left_s: meter.left_s(remaining_bytes) };
  }

  function summarize() {
    if (busy) return;
    /** @type {Record<Phase, number>} */
    const phases = {
      draft: 0,
      waiting: 0,
      uploading: 0,
      paused: 0,
      uploaded: 0,
      failed: 0,
      cancelled: 0,
    };
    let [sent_bytes, total_bytes] = [0, 0];
    let needsToken = null;
    for (const { upload } of jobs) {
      const state = upload.state();
      phases[state.phase] += 1;
      if (state.needsToken) needsToken = state.trouble?.words ?? "";
      if (!COUNTED.includes(state.phase)) continue;
      sent_bytes += state.sent_bytes;
      total_bytes += upload.file.size;
    }
    meter.note(sent_bytes);
    onChange({
      files: jobs.size + refused.size,
      open: OPEN.reduce((sum, phase) => sum + phases[phase], 0),
      arrived: phases.uploaded,
      sent_bytes,
      total_bytes,
      ...pace(total_bytes - sent_bytes),
      needsToken,
      phases,
    });
  }

  function startNext() {
    if (busy) return;
    const free = AT_ONCE - inPhase("uploading").length;
    for (const { upload } of inPhase("waiting").slice(0, Math.max(0, free)))
      void upload.run();
  }

  const timer = setInterval(() => {
    const sending = inPhase("uploading");
    for (const { upload } of sending) upload.tick();
    if (sending.length > 0) summarize();
  }, 1000);

  /** @param {Job} job */
  function remove(job) {
    const { videoId } = job.upload.state();
    if (videoId) tracker.unfollow(videoId);
    job.upload.destroy();
    job.row.destroy();
    jobs.delete(job);
  }

  /** @param {Job} job @param {Action} action */
  function act(job, action) {
    const { upload } = job;
    if (action === "remove") remove(job);
    else if (action === "cancel") upload.cancel();
    else if (action === "pause") upload.pause();
    else upload.wait();
  }

  /** @param {File} file @param {string} why */
  function refuse(file, why) {
    const row = createRow(file, () => {
      row.destroy();
      refused.delete(row);
      summarize();
    });
    row.showRefused(why);
    refused.add(row);
    return row;
  }

  /**
   * @param {File} file
   * @param {{ entry?: Entry, draft?: boolean }} [how]
   * @returns {Row}
   */
  function enlist(file, { entry, draft = false } = {}) {
    const row = createRow(file, (action) => {
      act(job, action);
      startNext();
      summarize();
    });
    const form = createFileForm({
      row: row.element,
      filename: file.name,
      choices: settings.choices(),
    });
    /** @type {Phase | null} */
    let phase = null;
    let needed = false;
    const upload = createUpload({
      file,
      api,
      gate,
      ledger,
      owner,
      ...(entry && { entry }),
      draft,
      choices() {
        const { title, settings: own } = form.read();
        const resolved = settings.resolve(own);
        return {
          ...(title && { title }),
          ...(resolved && { settings: resolved }),
        };
      },
      onChange: show,
    });
    /** @type {Job} */
    const job = { upload, row, form };

    /** @param {Readonly<UploadState>} state */
    function show(state) {
      // What became of it is shown from then on.
      if (state.phase !== "uploaded" || phase !== "uploaded")
        row.showUpload(state);
      if (state.phase === phase && state.needsToken === needed) return;
      const arrived = state.phase === "uploaded" && phase !== "uploaded";
      phase = state.phase;
      needed = state.needsToken;
      // What was announced cannot be changed any more.
      form.show(!state.videoId && (phase === "draft" || phase === "waiting"));
      if (arrived && state.videoId)
        tracker.follow(state.videoId, (video) => row.showVideo(video));
      if (phase !== "waiting") startNext();
      summarize();
    }

    jobs.add(job);
    show(upload.state());
    if (draft) form.show(true, true);
    return row;
  }

  /** @param {Action} action @param {Phase[]} phases */
  function all(action, ...phases) {
    together(() => inPhase(...phases).forEach((job) => act(job, action)));
  }

  return {
    element,

    /** @param {Limits} told by the API */
    setLimits(told) {
      limits = told;
    },

    /**
     * @param {Dropped} dropped
     * @param {(file: File) => boolean} claim whether a file belongs to an unfinished upload
     * @returns {{ doubles: File[], foreign: number }} what was left out: files that are in the
     *   list already, and how many things in folders are no videos
     */
    add({ files, inFolders }, claim) {
      const known = new Set(
        inPhase(...COUNTED).map(({ upload }) => keyOf(upload.file)),
      );
      const videos = inFolders.filter((file) => looksLikeVideo(file, limits));
      /** @type {File[]} */
      const doubles = [];
      /** @type {Row[]} */
      const rows = [];
      together(() => {
        for (const file of [...files, ...videos]) {
          const why = refusal(file, limits);
          if (known.has(keyOf(file))) doubles.push(file);
          else if (why !== null) rows.push(refuse(file, why));
          else if (!claim(file))
            rows.push(enlist(file, { draft: settings.checkFirst() }));
          known.add(keyOf(file));
        }
        element.prepend(...rows.map((row) => row.element));
      });
      return { doubles, foreign: inFolders.length - videos.length };
    },

    /**
     * A file for an unfinished upload was found.
     * @param {File} file
     * @param {Entry | null} entry null: it is sent anew
     * @param {Row} before the row it takes the place of
     */
    goOn(file, entry, before) {
      const row = enlist(file, entry ? { entry } : {});
      const focused = before.element.contains(document.activeElement);
      before.element.replaceWith(row.element);
      before.destroy();
      if (focused) row.element.focus();
      startNext();
      summarize();
    },

    tell: summarize,

    /** @param {string} videoId @returns {boolean} whether it has a row here */
    has: (videoId) =>
      [...jobs].some(({ upload }) => upload.state().videoId === videoId),

    /** @returns {string[]} ids of the videos that are not finished here */
    sending: () =>
      inPhase(...OPEN).flatMap(({ upload }) => upload.state().videoId ?? []),

    pauseAll: () => all("pause", "waiting", "uploading"),
    resumeAll: () => all("resume", "paused"),
    sendAll: () => all("send", "draft"),
    cancelAll() {
      all("remove", "draft");
      all("cancel", "waiting", "uploading", "paused");
    },

    /** Removes the rows of which nothing more is to be told. */
    clear() {
      const over = ["completed", "failed", "cancelled"];
      for (const job of [...jobs])
        if (over.includes(job.row.element.dataset["phase"] ?? "")) remove(job);
      for (const row of refused) row.destroy();
      refused.clear();
      summarize();
    },

    destroy() {
      clearInterval(timer);
      for (const job of [...jobs]) remove(job);
      for (const row of refused) row.destroy();
    },
  };
}
