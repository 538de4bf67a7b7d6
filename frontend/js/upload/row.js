import { find, say, setLevel, stamp } from "../dom.js";
import { ago, rate, remaining, size } from "../format.js";
import { reasonWords } from "../reasons.js";

/** @import { Video } from "../types.js" */
/** @import { Trouble, UploadState } from "./upload.js" */

/**
 * @typedef {"send" | "pause" | "resume" | "retry" | "choose" | "restart" | "discard" | "cancel" | "remove"} Action
 * @typedef {ReturnType<typeof createRow>} Row
 */

/** @type {Action[]} */
const ACTIONS = [
  "send",
  "pause",
  "resume",
  "retry",
  "choose",
  "restart",
  "discard",
  "cancel",
  "remove",
];

/** @type {Record<UploadState["phase"], Action[]>} */
const OFFERED = {
  draft: ["send", "remove"],
  waiting: ["pause", "cancel"],
  uploading: ["pause", "cancel"],
  paused: ["resume", "cancel"],
  failed: ["retry", "remove"],
  cancelled: ["remove"],
  uploaded: [],
};

/** @param {HTMLElement} root @param {number} index */
function reachAt(root, index) {
  const element = find(root, `.reach:nth-child(${index})`, HTMLElement);
  const value = find(element, ".reach__value", HTMLElement);
  const bar = find(element, ".reach__bar", HTMLElement);
  return {
    /**
     * @param {number} percent
     * @param {string} words
     * @param {{ tone?: string, waiting?: boolean }} [look]
     */
    show(percent, words, { tone = "", waiting = false } = {}) {
      setLevel(bar, percent / 100);
      bar.setAttribute("aria-valuenow", String(Math.round(percent)));
      bar.setAttribute("aria-valuetext", words || `${Math.round(percent)} %`);
      value.textContent = words;
      element.dataset["tone"] = tone;
      element.toggleAttribute("data-waiting", waiting);
    },
  };
}

/** @param {Trouble | null} trouble */
function troubleLine(trouble) {
  if (!trouble) return null;
  if (trouble.until_ms === null)
    return trouble.words === "There is no network."
      ? `${trouble.words} It goes on when there is.`
      : trouble.words;
  const left_s = Math.ceil((trouble.until_ms - performance.now()) / 1000);
  return `${trouble.words} ${left_s > 1 ? `Next try in ${left_s} s.` : "Trying again…"}`;
}

/** @param {UploadState} state @param {number} total_bytes */
function sendingLine(state, total_bytes) {
  if (state.needsToken) return null;
  if (state.sent_bytes >= total_bytes) return "Finishing…";
  if (state.sent_bytes === 0) return "Starting…";
  return [
    `${size(state.sent_bytes)} of ${size(total_bytes)}`,
    state.kept_bytes > 0 && `${size(state.kept_bytes)} were there already`,
    state.speed !== null && rate(state.speed * 8),
    remaining(state.left_s),
  ]
    .filter(Boolean)
    .join(" · ");
}

/** @param {UploadState} state @param {number} total_bytes */
function uploadLine(state, total_bytes) {
  switch (state.phase) {
    case "uploading":
      return sendingLine(state, total_bytes);
    case "draft":
      return "Not sent yet.";
    case "paused":
      return state.resumable
        ? "What was sent is kept."
        : "So small a file is sent from its beginning again.";
    case "uploaded":
      return "Arrived. Waiting for its turn.";
    default:
      return state.message;
  }
}

/** @param {Video} video */
function videoLine(video) {
  switch (video.status) {
    case "queued":
      return "Arrived. It is next in line for transcoding.";
    case "processing":
      return video.playable
        ? "The beginning is ready: it can be watched already."
        : "Transcoding. It can be watched as soon as its beginning is ready.";
    case "completed":
      return "Ready to watch, in every rendition.";
    case "failed":
      return reasonWords(video.reason);
    default:
      return "Arrived.";
  }
}

/** @param {UploadState} state @param {number} percent */
const uploadWords = ({ phase, needsToken }, percent) =>
  ({
    draft: "Not sent yet",
    waiting: "Waiting",
    uploading: needsToken
      ? `Waits at ${Math.floor(percent)} %`
      : `${Math.floor(percent)} %`,
    paused: `Paused at ${Math.floor(percent)} %`,
    uploaded: "Done",
    failed: "Failed",
    cancelled: "Cancelled",
  })[phase];

/** @type {Partial<Record<UploadState["phase"], string>>} */
const TONES = { failed: "rust", cancelled: "rust", uploaded: "leaf" };

/**
 * @param {{ name: string, size: number }} file
 * @param {(action: Action) => void} onAction
 */
export function createRow(file, onAction) {
  const element = stamp("job");
  const controller = new AbortController();
  const line = find(element, ".job__line", HTMLElement);
  const troubleNote = find(element, ".job__trouble", HTMLElement);
  const watch = find(element, ".job__watch", HTMLAnchorElement);
  const sending = reachAt(element, 1);
  const transcoding = reachAt(element, 2);
  say(find(element, ".job__name", HTMLElement), file.name);
  say(find(element, ".job__size", HTMLElement), size(file.size));

  const buttons = new Map(
    ACTIONS.map((action) => {
      const button = find(element, `.job__${action}`, HTMLButtonElement);
      button.setAttribute(
        "aria-label",
        `${button.textContent.trim()} ${file.name}`,
      );
      button.addEventListener("click", () => onAction(action), {
        signal: controller.signal,
      });
      return [action, button];
    }),
  );
  watch.setAttribute("aria-label", `Watch ${file.name}`);

  /** @param {Action[]} allowed */
  function offer(allowed) {
    for (const [action, button] of buttons) {
      const gone = !allowed.includes(action);
      // The button with the focus vanishes: the row keeps the place.
      if (gone && button === document.activeElement) element.focus();
      button.hidden = gone;
    }
  }

  return {
    element,

    /** @param {string} why it was never sent */
    showRefused(why) {
      element.dataset["phase"] = "failed";
      sending.show(0, "Not sent", { tone: "rust" });
      transcoding.show(0, "");
      line.textContent = why;
      offer(["remove"]);
    },

    /**
     * An upload that was begun before the page was loaded again.
     * @param {object} about
     * @param {number | null} about.stored_bytes null: not known yet
     * @param {string} about.begunAt
     * @param {string | null} about.complaint about the file that was picked for it
     * @param {boolean} about.canRestart whether that file can be sent anew
     */
    showUnfinished({ stored_bytes, begunAt, complaint, canRestart }) {
      element.dataset["phase"] = "unfinished";
      const percent = (100 * (stored_bytes ?? 0)) / file.size;
      const words =
        stored_bytes === null ? "Unfinished" : `${Math.floor(percent)} % sent`;
      sending.show(percent, words);
      transcoding.show(0, "");
      line.textContent = `Begun ${ago(begunAt)}. Choose the same file again, and only what is missing is sent.`;
      say(troubleNote, complaint);
      const restart = /** @type {Action[]} */ (canRestart ? ["restart"] : []);
      offer(["choose", ...restart, "discard"]);
    },

    /** @param {string} why an unfinished upload cannot go on */
    showEnded(why) {
      element.dataset["phase"] = "ended";
      sending.show(0, "Over");
      line.textContent = why;
      say(troubleNote, null);
      offer(["remove"]);
    },

    /** @param {Readonly<UploadState>} state */
    showUpload(state) {
      element.dataset["phase"] = state.phase;
      const percent = (100 * state.sent_bytes) / file.size;
      const tone = TONES[state.phase] ?? (state.needsToken ? "brass" : "");
      sending.show(percent, uploadWords(state, percent), { tone });
      if (state.phase === "uploaded")
        transcoding.show(0, "Queued", { waiting: true });
      else transcoding.show(0, "");
      line.textContent = uploadLine(state, file.size) ?? "";
      say(troubleNote, troubleLine(state.trouble));
      offer(OFFERED[state.phase]);
    },

    /** @param {Video} video */
    showVideo(video) {
      element.dataset["phase"] = video.status;
      const percent = video.status === "completed" ? 100 : (video.percent ?? 0);
      switch (video.status) {
        case "processing":
          transcoding.show(percent, `Processing ${Math.floor(percent)} %`, {
            tone: "brass",
            waiting: percent < 1,
          });
          break;
        case "completed":
          transcoding.show(100, "Completed", { tone: "leaf" });
          break;
        case "failed":
          transcoding.show(percent, "Failed", { tone: "rust" });
          break;
        default:
          transcoding.show(0, "Queued", { waiting: true });
      }
      line.textContent = videoLine(video);
      watch.href = `watch.html?v=${encodeURIComponent(video.id)}`;
      watch.hidden = !(video.playable || video.status === "completed");
      const settled = video.status === "failed" || video.status === "completed";
      offer(settled ? ["remove"] : []);
    },

    destroy() {
      controller.abort();
      element.remove();
    },
  };
}
