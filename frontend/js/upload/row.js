import { find, say, setLevel, stamp } from "../dom.js";
import { rate, remaining, size } from "../format.js";
import { reasonWords } from "../reasons.js";

/** @import { Video } from "../types.js" */
/** @import { UploadState } from "./upload.js" */

/**
 * @typedef {"pause" | "resume" | "retry" | "cancel" | "remove"} Action
 * @typedef {ReturnType<typeof createRow>} Row
 */

/** @type {Action[]} */
const ACTIONS = ["pause", "resume", "retry", "cancel", "remove"];

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

/** @param {UploadState} state @param {number} total_bytes */
function uploadLine(state, total_bytes) {
  if (state.message) return state.message;
  if (state.phase !== "uploading") return null;
  if (state.sent_bytes >= total_bytes) return "Finishing…";
  if (state.sent_bytes === 0) return "Starting…";
  return [
    `${size(state.sent_bytes)} of ${size(total_bytes)}`,
    state.speed === null ? "" : rate(state.speed * 8),
    remaining(state.left_s),
  ]
    .filter(Boolean)
    .join(" · ");
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

/**
 * @param {{ name: string, size: number }} file
 * @param {(action: Action) => void} onAction
 */
export function createRow(file, onAction) {
  const element = stamp("job");
  const controller = new AbortController();
  const line = find(element, ".job__line", HTMLElement);
  const watch = find(element, ".job__watch", HTMLAnchorElement);
  const sending = reachAt(element, 1);
  const transcoding = reachAt(element, 2);
  say(find(element, ".job__name", HTMLElement), file.name);
  say(find(element, ".job__size", HTMLElement), size(file.size));

  const buttons = new Map(
    ACTIONS.map((action) => {
      const button = find(element, `.job__${action}`, HTMLButtonElement);
      button.setAttribute("aria-label", `${button.textContent} ${file.name}`);
      button.addEventListener("click", () => onAction(action), {
        signal: controller.signal,
      });
      return [action, button];
    }),
  );
  watch.setAttribute("aria-label", `Watch ${file.name}`);

  /** @param {Action[]} allowed */
  function offer(...allowed) {
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
      offer("remove");
    },

    /** @param {Readonly<UploadState>} state */
    showUpload(state) {
      element.dataset["phase"] = state.phase;
      const percent = (100 * state.sent_bytes) / file.size;
      const words = {
        waiting: "Waiting",
        uploading: `${Math.floor(percent)} %`,
        paused: `Paused at ${Math.floor(percent)} %`,
        uploaded: "Done",
        failed: "Failed",
        cancelled: "Cancelled",
      }[state.phase];
      const tone =
        state.phase === "failed" || state.phase === "cancelled"
          ? "rust"
          : state.phase === "uploaded"
            ? "leaf"
            : "";
      sending.show(percent, words, { tone });
      if (state.phase === "uploaded")
        transcoding.show(0, "Queued", { waiting: true });
      else transcoding.show(0, "");
      line.textContent =
        uploadLine(state, file.size) ??
        (state.phase === "uploaded" ? "Arrived. Waiting for its turn." : "");
      switch (state.phase) {
        case "waiting":
          return offer("cancel");
        case "uploading":
          return state.canPause ? offer("pause", "cancel") : offer("cancel");
        case "paused":
          return offer("resume", "cancel");
        case "failed":
          return offer("retry", "remove");
        case "cancelled":
          return offer("remove");
        default:
          return offer();
      }
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
      if (video.status === "failed" || video.status === "completed")
        offer("remove");
      else offer();
    },

    destroy() {
      controller.abort();
      element.remove();
    },
  };
}
