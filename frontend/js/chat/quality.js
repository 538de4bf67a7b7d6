// The quality panel: readings every second, small graphs, a rating, a report to keep.
import { find, stamp } from "../dom.js";
import { createAdaptation } from "./adaptation.js";
import { rate, readingOf } from "./readings.js";

/** @import { Reading, Sample } from "./readings.js" */

/** One a second. */
const KEPT = 3600;
const DRAWN = 120;
const EVERY_MS = 1000;
const GRAPH_WIDTH = 120;
const GRAPH_HEIGHT = 32;

/**
 * @typedef {object} Row
 * @property {string} name
 * @property {(reading: Reading) => string} text
 * @property {(reading: Reading) => number | null} [level] for a graph
 */

/** @param {number | null} value @param {string} unit */
const number = (value, unit) =>
  value === null ? "–" : `${Math.round(value)} ${unit}`;
/** @param {number} bps */
const bits = (bps) =>
  bps >= 1e6
    ? `${(bps / 1e6).toFixed(1)} Mb/s`
    : `${Math.round(bps / 1e3)} kb/s`;

/** @param {number | null} width @param {number | null} height @param {number | null} frames_ps */
const picture = (width, height, frames_ps) =>
  width && height
    ? `${width} × ${height}, ${Math.round(frames_ps ?? 0)} fps`
    : "–";

/** @type {Row[]} */
const ROWS = [
  {
    name: "Round trip",
    text: ({ roundTrip_ms }) => number(roundTrip_ms, "ms"),
    level: ({ roundTrip_ms }) => roundTrip_ms,
  },
  {
    name: "Jitter",
    text: ({ jitter_ms }) => number(jitter_ms, "ms"),
    level: ({ jitter_ms }) => jitter_ms,
  },
  {
    name: "Loss",
    text: ({ loss }) => (loss === null ? "–" : `${(100 * loss).toFixed(1)} %`),
    level: ({ loss }) => loss,
  },
  { name: "Up", text: ({ up_bps }) => bits(up_bps), level: (r) => r.up_bps },
  {
    name: "Down",
    text: ({ down_bps }) => bits(down_bps),
    level: (r) => r.down_bps,
  },
  {
    name: "Picture",
    text: ({ width, height, frames_ps }) => picture(width, height, frames_ps),
  },
  {
    name: "Yours",
    text: ({ sentWidth, sentHeight, sentFrames_ps }) =>
      picture(sentWidth, sentHeight, sentFrames_ps),
  },
  { name: "Codecs", text: ({ codecs }) => codecs },
  { name: "Path", text: ({ path }) => path },
];

/** @typedef {ReturnType<typeof createQuality>} Quality */

/**
 * @param {object} options
 * @param {HTMLElement} options.element the panel
 * @param {() => RTCPeerConnection | null} options.connection
 * @param {() => boolean} options.sharing
 * @param {(grade: import("./readings.js").Grade, words: string) => void} options.onRating
 */
export function createQuality({ element, connection, sharing, onRating }) {
  const controller = new AbortController();
  const { signal } = controller;
  const adapt = find(element, "#adapt", HTMLInputElement);
  const adaptation = createAdaptation();
  const rows = ROWS.map((row) => createRow(row));
  find(element, "#readings", HTMLElement).append(
    ...rows.map((row) => row.element),
  );
  /** @type {Reading[]} */
  let readings = [];
  /** @type {Sample | null} */
  let before = null;
  /** @type {RTCPeerConnection | null} */
  let measured = null;
  const timer = setInterval(() => read().catch(console.error), EVERY_MS);
  find(element, "#report", HTMLButtonElement).addEventListener(
    "click",
    () => save(reportOf(readings)),
    { signal },
  );
  adapt.addEventListener("change", () => adaptation.reset(), { signal });

  async function read() {
    const current = connection();
    if (current !== measured) {
      measured = current;
      before = null;
      adaptation.reset();
    }
    if (!current || current.connectionState !== "connected") {
      onRating("unknown", "");
      return;
    }
    /** @type {Map<string, any>} */
    const stats = new Map();
    (await current.getStats()).forEach((item, id) => stats.set(id, item));
    const sample = { stats, at_ms: Date.now() };
    const reading = readingOf(before, sample);
    const first = before === null;
    before = sample;
    if (first) return;
    readings = [...readings.slice(1 - KEPT), reading];
    const { grade, words } = rate(reading);
    onRating(grade, words);
    if (!element.hidden)
      for (const row of rows) row.show(readings.slice(-DRAWN));
    await adjust(current, reading);
  }

  /**
   * @param {RTCPeerConnection} current
   * @param {Reading} reading
   */
  async function adjust(current, reading) {
    const sender = current.getTransceivers()[1]?.sender;
    if (adapt.checked) adaptation.judge(reading);
    if (sender?.track) await adaptation.apply(sender, sharing());
  }

  return {
    element,
    readings: () => readings,
    destroy() {
      clearInterval(timer);
      controller.abort();
    },
  };
}

/** @param {Row} row */
function createRow({ name, text, level }) {
  const element = stamp("reading");
  find(element, "dt", HTMLElement).textContent = name;
  const value = find(element, ".reading__value", HTMLElement);
  const graph = find(element, "svg", SVGElement);
  const line = find(element, "polyline", SVGPolylineElement);
  if (!level) graph.remove();
  return {
    element,
    /** @param {Reading[]} readings */
    show(readings) {
      const last = readings.at(-1);
      if (!last) return;
      value.textContent = text(last);
      if (level) line.setAttribute("points", pointsOf(readings.map(level)));
    },
  };
}

/**
 * A line of the last two minutes; its top is the largest of them.
 * @param {(number | null)[]} values
 */
export function pointsOf(values) {
  const top = Math.max(1e-9, ...values.map((value) => value ?? 0));
  const step = GRAPH_WIDTH / (DRAWN - 1);
  const start = GRAPH_WIDTH - step * (values.length - 1);
  return values
    .map((value, index) => {
      const x = start + index * step;
      const y = GRAPH_HEIGHT - 1 - ((value ?? 0) / top) * (GRAPH_HEIGHT - 2);
      return `${x.toFixed(1)},${y.toFixed(1)}`;
    })
    .join(" ");
}

/**
 * The last hour; one that is not told how much it holds is taken for the whole call.
 * @param {Reading[]} readings
 */
export function reportOf(readings) {
  const last = readings.at(-1) ?? null;
  return {
    version: 1,
    made_at: new Date().toISOString(),
    browser: navigator.userAgent,
    rating: rate(last).words,
    most_readings: KEPT,
    readings,
  };
}

/** @param {object} report */
function save(report) {
  const text = JSON.stringify(report, null, 2);
  const url = URL.createObjectURL(
    new Blob([text], { type: "application/json" }),
  );
  const link = document.createElement("a");
  link.href = url;
  link.download = "call-quality.json";
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
