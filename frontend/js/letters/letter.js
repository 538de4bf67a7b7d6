// One dead letter: why, what was tried, what the engine said, and what can be done.
import { find, say, stamp } from "../dom.js";
import { counted, lasting } from "../dashboard/numbers.js";
import { ago } from "../format.js";
import { reasonWords } from "../reasons.js";

/** @import { Attempt, Letter } from "../dashboard/types.js" */

/** @typedef {ReturnType<typeof createLetter>} LetterCard */

const ENDS = {
  dead: "Every attempt was used up.",
  failed: "Trying again could not help, so it was not tried again.",
};

/** @param {string} text */
const sentence = (text) => (/[.!?]$/.test(text) ? text : text && `${text}.`);

/** @param {Attempt} attempt */
function about({ worker, started_at, ended_at, counted: counts }) {
  const took_s = started_at
    ? (Date.parse(ended_at) - Date.parse(started_at)) / 1000
    : null;
  return [
    worker ?? "no worker",
    took_s === null ? "" : `after ${lasting(took_s)}`,
    counts ? "" : "used up no retry",
  ]
    .filter(Boolean)
    .join(" · ");
}

/** @param {Attempt} attempt */
function createTry(attempt) {
  const line = stamp("try");
  say(find(line, ".try__number", HTMLElement), `Attempt ${attempt.attempt}`);
  say(
    find(line, ".try__why", HTMLElement),
    attempt.message ? `${attempt.reason}: ${attempt.message}` : attempt.reason,
  );
  say(find(line, ".try__about", HTMLElement), about(attempt));
  return line;
}

/** @param {(letter: Letter) => void} onRedrive */
export function createLetter(onRedrive) {
  const controller = new AbortController();
  const element = stamp("letter");
  const redrive = find(element, ".letter__redrive", HTMLButtonElement);
  const trace = find(element, ".letter__trace", HTMLAnchorElement);
  const when = find(element, ".letter__when", HTMLTimeElement);
  const attempts = find(element, ".letter__attempts", HTMLElement);
  const engine = find(element, ".letter__engine", HTMLElement);
  const log = find(element, ".log", HTMLElement);
  /** @type {Letter | null} */
  let shown = null;
  const ask = () =>
    shown && redrive.ariaDisabled !== "true" && onRedrive(shown);
  redrive.addEventListener("click", ask, { signal: controller.signal });

  /** @param {Letter} letter */
  function showHistory({ attempts: tries, engine_log, task_id }) {
    attempts.hidden = tries.length === 0;
    say(
      find(attempts, "summary", HTMLElement),
      counted(tries.length, "attempt"),
    );
    find(attempts, ".tries", HTMLElement).replaceChildren(
      ...tries.map(createTry),
    );
    engine.hidden = engine_log === "";
    log.textContent = engine_log;
    log.setAttribute("aria-label", `Engine log of ${task_id}`);
  }

  /** @param {Letter} letter */
  function showWords({ video_id, title, task_id, status, reason, failed_at }) {
    const video = title ? `“${title}”` : `video ${video_id}`;
    const why = reasonWords(reason);
    const end = why === reason.message ? "" : sentence(reason.message);
    say(find(element, ".letter__why", HTMLElement), why);
    say(find(element, ".status", HTMLElement), reason.code);
    say(find(element, ".letter__task", HTMLElement), task_id);
    say(find(element, ".letter__video", HTMLElement), `of ${video}`);
    say(
      find(element, ".letter__end", HTMLElement),
      `${end} ${ENDS[status]}`.trim(),
    );
    say(when, ago(failed_at));
    when.dateTime = failed_at;
    when.title = new Date(failed_at).toLocaleString("en-GB");
    trace.href = `trace.html?v=${encodeURIComponent(video_id)}&task=${encodeURIComponent(task_id)}`;
    trace.setAttribute("aria-label", `Trace of ${task_id}, ${video}`);
    redrive.setAttribute("aria-label", `Redrive ${task_id}, ${video}`);
  }

  return {
    element,
    focus: () => redrive.focus(),
    hasFocus: () => element.contains(document.activeElement),
    /** @param {Letter} letter @param {boolean} busy whether it is being redriven */
    show(letter, busy) {
      // Not disabled: it keeps the focus until its card goes.
      redrive.ariaDisabled = String(busy);
      element.toggleAttribute("data-busy", busy);
      if (JSON.stringify(letter) !== JSON.stringify(shown)) {
        showWords(letter);
        showHistory(letter);
      }
      shown = letter;
    },
    destroy: () => controller.abort(),
  };
}
