// Shortcuts as on the big video sites, as a pure function of the key event.

/**
 * @typedef {{ do: "toggle" | "mute" | "fullscreen" | "captions" | "stats" | "help" | "start" | "end" }
 *   | { do: "seek", seconds: number }
 *   | { do: "volume", by: number }
 *   | { do: "tenth", tenth: number }
 *   | { do: "frame", by: number }
 *   | { do: "speed", by: number }} Command
 */

/** @type {Record<string, Command>} */
const KEYS = {
  " ": { do: "toggle" },
  k: { do: "toggle" },
  j: { do: "seek", seconds: -10 },
  l: { do: "seek", seconds: 10 },
  ArrowLeft: { do: "seek", seconds: -5 },
  ArrowRight: { do: "seek", seconds: 5 },
  ArrowUp: { do: "volume", by: 0.05 },
  ArrowDown: { do: "volume", by: -0.05 },
  m: { do: "mute" },
  f: { do: "fullscreen" },
  c: { do: "captions" },
  i: { do: "stats" },
  Home: { do: "start" },
  End: { do: "end" },
  ",": { do: "frame", by: -1 },
  ".": { do: "frame", by: 1 },
  "<": { do: "speed", by: -1 },
  ">": { do: "speed", by: 1 },
  "?": { do: "help" },
};

/** For the help, in the order people look for them. */
export const HELP = [
  ["Space or K", "Play or pause"],
  ["← →", "5 seconds back or on"],
  ["J L", "10 seconds back or on"],
  ["↑ ↓", "Volume"],
  ["M", "Mute"],
  ["F", "Full screen"],
  ["C", "Subtitles on or off"],
  ["0 – 9", "Jump to 0 % – 90 %"],
  [", .", "One frame, while paused"],
  ["< >", "Slower or faster"],
  ["I", "Statistics"],
  ["?", "This help"],
];

/**
 * @typedef {object} Press
 * @property {string} key
 * @property {boolean} [ctrlKey]
 * @property {boolean} [altKey]
 * @property {boolean} [metaKey]
 * @property {boolean} [isComposing] an input method is at work
 */

/**
 * @param {Press} press
 * @param {{ typing?: boolean, onButton?: boolean, inMenu?: boolean }} [focus] `typing`: a text field
 *   has the focus; `onButton`: something that space itself operates; `inMenu`: arrows belong to it
 * @returns {Command | null}
 */
export function commandFor(press, { typing, onButton, inMenu } = {}) {
  if (typing || press.isComposing) return null;
  if (press.ctrlKey || press.altKey || press.metaKey) return null;
  const { key } = press;
  if (onButton && key === " ") return null;
  if (inMenu && /^(Arrow|Home$|End$| $)/.test(key)) return null;
  if (/^[0-9]$/.test(key)) return { do: "tenth", tenth: Number(key) };
  return KEYS[key] ?? KEYS[key.toLowerCase()] ?? null;
}

/**
 * @param {Element | null} element what has the focus
 * @returns {{ typing: boolean, onButton: boolean, inMenu: boolean }}
 */
export function focusOf(element) {
  return {
    typing:
      element?.matches(
        "input:not([type=range], [type=checkbox], [type=radio], [type=button]), textarea, select, [contenteditable]:not([contenteditable=false]), [role=textbox]",
      ) ?? false,
    onButton:
      element?.matches(
        "button, a, summary, [type=checkbox], [type=radio], [role=menuitemradio]",
      ) ?? false,
    inMenu: element?.closest("[role=menu]") != null,
  };
}
