// Statistics of what plays, live, with a graph of the last minute for each figure that moves.
import { build } from "./build.js";
import { createGraph } from "./graph.js";
import { rateWords } from "./levels.js";

/** @import { Level } from "./levels.js" */
/** @import { EngineFacts } from "./engine.js" */

const EVERY_MS = 500;
/** A minute. */
const MOST = 120;

/**
 * @typedef {object} Reading one moment of playback
 * @property {Level | null} level on the screen
 * @property {boolean} auto the level is chosen by bandwidth
 * @property {EngineFacts | null} facts
 * @property {number} buffer_s ahead of the playhead
 * @property {number} droppedFrames since the beginning
 * @property {number} totalFrames since the beginning
 * @property {number} shownWidth CSS pixels that the picture has on the screen
 * @property {number} shownHeight
 * @property {number} speed
 *
 * @typedef {ReturnType<typeof createStats>} Stats
 */

/**
 * Figures with a graph. `of` null: not known.
 * @type {{ id: string, label: string, leastTop: number, of: (now: Reading, before: Reading | null) => number | null, words: (now: Reading) => string }[]}
 */
export const FIGURES = [
  {
    id: "bitrate",
    label: "Bitrate",
    leastTop: 0,
    of: ({ facts }) => facts?.bitrate_bps ?? null,
    words: ({ facts, level }) =>
      facts?.bitrate_bps
        ? `${rateWords(facts.bitrate_bps)}${level?.bitrate_bps ? `, peak ${rateWords(level.bitrate_bps)}` : ""}`
        : "not told",
  },
  {
    id: "bandwidth",
    label: "Bandwidth",
    leastTop: 0,
    of: ({ facts }) => facts?.bandwidth_bps ?? null,
    words: ({ facts }) =>
      facts?.bandwidth_bps
        ? `about ${rateWords(facts.bandwidth_bps)}`
        : "not told",
  },
  {
    id: "buffer",
    label: "Buffer",
    leastTop: 10,
    of: ({ buffer_s }) => buffer_s,
    words: ({ buffer_s }) => `${buffer_s.toFixed(1)} s ahead`,
  },
  {
    id: "dropped",
    label: "Dropped frames",
    leastTop: 5,
    of: (now, before) =>
      Math.max(0, now.droppedFrames - (before ?? now).droppedFrames),
    words: ({ droppedFrames, totalFrames }) =>
      `${droppedFrames} of ${totalFrames}`,
  },
];

/** @param {Reading} now @returns {string} "720p · 1280 × 720 · AV1" */
export function renditionWords({ level, auto }) {
  if (!level) return "none yet";
  const { name, width, height, codec } = level;
  const kind = codec && !name.includes(codec) ? codec : "";
  const size = width > 0 ? `${width} × ${height}` : "";
  return [name, size, kind, auto ? "Auto" : ""].filter(Boolean).join(" · ");
}

/** @param {Reading} now */
const sourceWords = ({ facts }) =>
  facts
    ? `${facts.engine}, ${facts.growing ? "still growing" : "complete"}`
    : "";

/** @param {string} label */
function createRow(label) {
  const value = build("dd", "");
  const row = build("div", "mr-stats__row", {}, build("dt", "", {}, label));
  row.append(value);
  return { row, value };
}

function createFigures() {
  return FIGURES.map((figure) => {
    const { row, value } = createRow(figure.label);
    const graph = createGraph({ most: MOST, leastTop: figure.leastTop });
    row.dataset["figure"] = figure.id;
    row.append(graph.element);
    /** @type {number[]} */
    const history = [];
    return { figure, row, value, graph, history };
  });
}

/** @param {{ read: () => Reading, onClose: () => void }} options */
export function createStats({ read, onClose }) {
  const figures = createFigures();
  const rendition = createRow("Rendition");
  const shown = createRow("Shown at");
  const source = createRow("Played by");
  const close = build("button", "mr-stats__close", { type: "button" }, "Close");
  const list = build("dl", "", {}, rendition.row);
  list.append(...figures.map(({ row }) => row), shown.row, source.row);
  const element = build(
    "section",
    "mr-stats",
    { "aria-label": "Playback statistics" },
    list,
    close,
  );
  element.hidden = true;
  /** @type {Reading | null} */
  let before = null;

  function show(/** @type {Reading} */ now) {
    rendition.value.textContent = renditionWords(now);
    shown.value.textContent = `${now.shownWidth} × ${now.shownHeight}, ${now.speed}×, ${now.facts?.switches ?? 0} switches`;
    source.value.textContent = sourceWords(now);
    for (const { figure, value, graph, history } of figures) {
      value.textContent = figure.words(now);
      graph.show(history);
    }
  }

  // Readings are kept while it is closed, too: who opens it wants to see what just happened.
  function tick() {
    const now = read();
    for (const { figure, history } of figures) {
      history.push(figure.of(now, before) ?? 0);
      if (history.length > MOST) history.shift();
    }
    before = now;
    if (!element.hidden) show(now);
  }
  const timer = setInterval(tick, EVERY_MS);
  const toggle = () => {
    element.hidden = !element.hidden;
    if (!element.hidden) show(read());
  };
  close.addEventListener("click", () => {
    toggle();
    onClose();
  });

  return {
    element,
    toggle,
    isOpen: () => !element.hidden,
    destroy: () => clearInterval(timer),
  };
}
