// What lies over the picture: the big play button, the waiting sign, short notes, failures, help.
import { build } from "./build.js";
import { icon } from "./icons.js";
import { HELP } from "./keyboard.js";
import { MESSAGES } from "./messages.js";

/** @import { Trouble } from "./messages.js" */

/** A moment of waiting is not worth a sign. */
const WAIT_MS = 300;
const NOTE_MS = 900;

/** @typedef {ReturnType<typeof createOverlay>} Overlay */

/** @returns {HTMLDialogElement} */
function createHelp() {
  const rows = HELP.map(([keys = "", what = ""]) =>
    build(
      "div",
      "mr-help__row",
      {},
      build("dt", "", {}, build("kbd", "", {}, keys)),
      build("dd", "", {}, what),
    ),
  );
  const close = build("button", "mr-help__close", { type: "button" }, "Close");
  const dialog = build(
    "dialog",
    "mr-help",
    { "aria-label": "Keyboard shortcuts" },
    build("h2", "", {}, "Keyboard shortcuts"),
    build("dl", "", {}, ...rows),
    close,
  );
  close.addEventListener("click", () => dialog.close());
  return dialog;
}

/** @param {{ onStart: () => void, onRetry: () => void }} actions */
export function createOverlay({ onStart, onRetry }) {
  const start = build(
    "button",
    "mr-start",
    { type: "button", "aria-label": "Play" },
    icon("play"),
  );
  const wait = build("div", "mr-wait", { "aria-hidden": "true" });
  const note = build("p", "mr-note", { role: "status" });
  const title = build("h2", "");
  const text = build("p", "");
  const again = build("button", "mr-again", { type: "button" }, "Try again");
  const trouble = build(
    "div",
    "mr-trouble",
    { role: "alert" },
    title,
    text,
    again,
  );
  const help = createHelp();
  const element = build(
    "div",
    "mr-overlay",
    {},
    wait,
    note,
    start,
    trouble,
    help,
  );
  wait.hidden = true;
  trouble.hidden = true;
  start.addEventListener("click", onStart);
  again.addEventListener("click", onRetry);
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let waitTimer;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let noteTimer;

  return {
    element,
    /** @param {boolean} offered */
    offerStart(offered) {
      start.hidden = !offered;
    },
    /** @param {boolean} waiting */
    setWaiting(waiting) {
      clearTimeout(waitTimer);
      if (waiting)
        waitTimer = setTimeout(() => {
          wait.hidden = false;
        }, WAIT_MS);
      else wait.hidden = true;
    },
    /** @param {string} words said for a moment, to eyes and screen readers */
    note(words) {
      note.textContent = words;
      note.dataset["shown"] = "";
      clearTimeout(noteTimer);
      noteTimer = setTimeout(() => delete note.dataset["shown"], NOTE_MS);
    },
    /** @param {Trouble | null} kind */
    showTrouble(kind) {
      trouble.hidden = kind === null;
      if (kind === null) return;
      wait.hidden = true;
      title.textContent = MESSAGES[kind].title;
      text.textContent = MESSAGES[kind].text;
      again.hidden = kind === "unsupported";
    },
    toggleHelp: () => (help.open ? help.close() : help.showModal()),
    destroy() {
      clearTimeout(waitTimer);
      clearTimeout(noteTimer);
    },
  };
}
