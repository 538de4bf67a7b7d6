// What lies over the picture: the big play button, the waiting sign, short notes, failures,
// statistics, help.
import { build, clock } from "./build.js";
import { icon } from "./icons.js";
import { HELP } from "./keyboard.js";
import { MESSAGES } from "./messages.js";
import { createStats } from "./stats.js";

/** @import { Trouble } from "./messages.js" */
/** @import { Reading } from "./stats.js" */

/** A moment of waiting is not worth a sign. */
const WAIT_MS = 300;
const NOTE_MS = 900;
/** Then whoever wanted the beginning has gone there. */
const RESUMED_MS = 8000;

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

/** @param {() => void} onRetry */
function createTrouble(onRetry) {
  const title = build("h2", "");
  const text = build("p", "");
  const again = build("button", "mr-again", { type: "button" }, "Try again");
  const parts = [title, text, again];
  const element = build("div", "mr-trouble", { role: "alert" }, ...parts);
  element.hidden = true;
  again.addEventListener("click", onRetry);
  return {
    element,
    /** @param {Trouble | null} kind */
    show(kind) {
      element.hidden = kind === null;
      if (kind === null) return;
      title.textContent = MESSAGES[kind].title;
      text.textContent = MESSAGES[kind].text;
      again.hidden = kind === "unsupported" || kind === "codec";
    },
  };
}

/** @param {() => void} onFromStart */
function createResumed(onFromStart) {
  const words = build("span", "");
  const button = build(
    "button",
    "mr-resumed__button",
    { type: "button" },
    "From the beginning",
  );
  const element = build("div", "mr-resumed", {}, words, button);
  element.hidden = true;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const hide = () => {
    element.hidden = true;
  };
  button.addEventListener("click", () => {
    hide();
    onFromStart();
  });
  return {
    element,
    /** @param {number} time_s */
    show(time_s) {
      words.textContent = `Goes on at ${clock(time_s)}`;
      element.hidden = false;
    },
    hideSoon() {
      clearTimeout(timer);
      timer = setTimeout(hide, RESUMED_MS);
    },
    destroy: () => clearTimeout(timer),
  };
}

/** A moment's words, and the sign of waiting. */
function createNotes() {
  const wait = build("div", "mr-wait", { "aria-hidden": "true" });
  const note = build("p", "mr-note", { role: "status" });
  const line = build("p", "mr-line", { role: "status" });
  wait.hidden = true;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let waitTimer;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let noteTimer;
  return {
    elements: [wait, note, line],
    /** @param {boolean} waiting */
    setWaiting(waiting) {
      clearTimeout(waitTimer);
      wait.hidden = true;
      if (waiting)
        waitTimer = setTimeout(() => {
          wait.hidden = false;
        }, WAIT_MS);
    },
    /** @param {string} words said for a moment, to eyes and screen readers */
    note(words) {
      note.textContent = words;
      note.dataset["shown"] = "";
      clearTimeout(noteTimer);
      noteTimer = setTimeout(() => delete note.dataset["shown"], NOTE_MS);
    },
    /** @param {string} words that stay until they are taken back with "" */
    setLine(words) {
      if (line.textContent !== words) line.textContent = words;
    },
    destroy() {
      clearTimeout(waitTimer);
      clearTimeout(noteTimer);
    },
  };
}

/**
 * @param {object} options
 * @param {() => void} options.onStart
 * @param {() => void} options.onRetry
 * @param {() => void} options.onFromStart
 * @param {() => void} options.onStatsClosed
 * @param {() => Reading} options.read
 */
export function createOverlay({ onStart, onRetry, onFromStart, ...stats }) {
  const start = build(
    "button",
    "mr-start",
    { type: "button", "aria-label": "Play" },
    icon("play"),
  );
  start.addEventListener("click", onStart);
  const notes = createNotes();
  const trouble = createTrouble(onRetry);
  const resumed = createResumed(onFromStart);
  const panel = createStats({ read: stats.read, onClose: stats.onStatsClosed });
  const help = createHelp();
  const { setWaiting, note, setLine } = notes;
  const parts = [resumed, trouble, panel].map(({ element }) => element);
  const element = build("div", "mr-overlay", {}, ...notes.elements, start);
  element.append(...parts, help);

  return {
    element,
    setWaiting,
    note,
    setLine,
    /** @param {boolean} offered */
    offerStart(offered) {
      start.hidden = !offered;
    },
    offerFromStart: resumed.show,
    onPlaying() {
      start.hidden = true;
      resumed.hideSoon();
    },
    /** @param {Trouble | null} kind */
    showTrouble(kind) {
      trouble.show(kind);
      if (kind === null) return;
      setWaiting(false);
      setLine("");
    },
    toggleStats: panel.toggle,
    helpIsOpen: () => help.open,
    toggleHelp: () => (help.open ? help.close() : help.showModal()),
    destroy() {
      notes.destroy();
      resumed.destroy();
      panel.destroy();
    },
  };
}
