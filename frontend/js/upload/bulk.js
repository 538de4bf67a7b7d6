// The head of the list: how far all files are together, and what can be done with all at once.
import { createConfirm } from "../confirm.js";
import { find, say, setLevel } from "../dom.js";
import { rate, remaining, size } from "../format.js";

/** @import { Summary } from "./queue.js" */

/**
 * @typedef {object} Bulk
 * @property {() => void} pauseAll
 * @property {() => void} resumeAll
 * @property {() => void} sendAll
 * @property {() => void} cancelAll
 * @property {() => void} clear
 */

/** @param {number} files @param {number} open */
function countWords(files, open) {
  if (files === 0) return null;
  const all = `${files} ${files === 1 ? "file" : "files"}`;
  return open > 0 ? `${all}, ${open} on the way` : all;
}

/** @param {Summary} summary */
function sumWords({ sent_bytes, total_bytes, speed, left_s, phases }) {
  return [
    `${size(sent_bytes)} of ${size(total_bytes)}`,
    phases.uploading === 0 && phases.paused > 0 && "paused",
    speed !== null && rate(speed * 8),
    remaining(left_s),
  ]
    .filter(Boolean)
    .join(" · ");
}

/**
 * @param {object} options
 * @param {HTMLElement} options.element
 * @param {Bulk} options.actions
 */
export function createBulk({ element, actions }) {
  const controller = new AbortController();
  const count = find(element, "#queue-count", HTMLElement);
  const sum = find(element, "#sum", HTMLElement);
  const sumText = find(element, "#sum-text", HTMLElement);
  const bar = find(element, "#sum-bar", HTMLElement);
  const confirm = createConfirm(find(document, "#confirm", HTMLDialogElement));
  const heading = find(element, "#queue-title", HTMLElement);

  async function cancelAll() {
    if (await confirm.ask("Cancel all uploads?")) actions.cancelAll();
  }

  /** @param {string} selector @param {() => void} act */
  function wire(selector, act) {
    const button = find(element, selector, HTMLButtonElement);
    button.addEventListener("click", act, { signal: controller.signal });
    return button;
  }
  const buttons = {
    send: wire("#send-all", actions.sendAll),
    pause: wire("#pause-all", actions.pauseAll),
    resume: wire("#resume-all", actions.resumeAll),
    cancel: wire("#cancel-all", () => void cancelAll()),
    clear: wire("#clear", actions.clear),
  };

  return {
    element,

    /** @param {Summary} summary @param {number} unfinished rows that wait for their file */
    show(summary, unfinished) {
      const { phases, sent_bytes, total_bytes } = summary;
      say(count, countWords(summary.files + unfinished, summary.open));
      const percent = total_bytes > 0 ? (100 * sent_bytes) / total_bytes : 0;
      setLevel(bar, percent / 100);
      bar.setAttribute("aria-valuenow", String(Math.round(percent)));
      say(sumText, sumWords(summary));
      sum.hidden = summary.open === 0;
      const several = summary.open > 1;
      const offered = {
        send: phases.draft > 0,
        pause: several && phases.waiting + phases.uploading > 0,
        resume: several && phases.paused > 0,
        cancel: several,
        clear: summary.files > summary.open,
      };
      for (const [name, button] of Object.entries(buttons)) {
        const gone = !offered[/** @type {keyof typeof offered} */ (name)];
        if (gone && button === document.activeElement) heading.focus();
        button.hidden = gone;
      }
    },

    destroy() {
      controller.abort();
      confirm.destroy();
    },
  };
}
