// Which charts there are, and what each shows of the figures.
import { createChart } from "./chart.js";
import { count, dollars, share } from "./numbers.js";
import { createPalette } from "./palette.js";
import { createSpread } from "./spread.js";
import {
  activeWords,
  costWords,
  depthWords,
  errorWords,
  queuesOf,
  throughputWords,
  troubleWords,
  withNow,
} from "./summary.js";

/** @import { Chart } from "./chart.js" */
/** @import { Tone } from "./palette.js" */
/** @import { Line } from "./plot.js" */
/** @import { Stats, Values } from "./types.js" */

/** Queues are told apart by colour and by dash. @type {[Tone, Line["look"]][]} */
const QUEUE_LOOKS = [
  ["water", "plain"],
  ["brass", "plain"],
  ["leaf", "dashed"],
  ["ink-soft", "plain"],
  ["water", "dotted"],
  ["brass", "dotted"],
  ["leaf", "dotted"],
  ["ink-soft", "dashed"],
];

/**
 * @param {string} name
 * @param {Tone} tone
 * @param {Values} values
 * @param {Line["look"]} [look]
 * @returns {Line}
 */
const happened = (name, tone, values, look = "plain") => ({
  name,
  tone,
  look,
  values,
  sums: true,
});

/**
 * What is looked at once a minute, and now.
 * @param {string} name
 * @param {Tone} tone
 * @param {Values} values
 * @param {number} now
 * @param {Line["look"]} [look]
 * @returns {Line}
 */
const seen = (name, tone, values, now, look) => ({
  ...happened(name, tone, withNow(values, now), look),
  sums: false,
  now,
});

/** @param {Values} all @param {Values} some @returns {Values} how many of all are not among some */
const others = (all, some) =>
  all.map((value, i) => {
    const less = some[i];
    return value == null || less == null ? null : value - less;
  });

/** @param {Values} completed @param {Values} failed */
const ended = (completed, failed) =>
  completed.map((value, i) => (value ?? 0) + (failed[i] ?? 0));

/** @param {Stats} stats @returns {Line[]} */
const depthLines = ({ series, queues }) =>
  queuesOf(series, queues).map((name, i) => {
    const [tone, look] = QUEUE_LOOKS[i % QUEUE_LOOKS.length] ?? [
      "ink",
      "plain",
    ];
    const now = queues.find((queue) => queue.name === name)?.waiting ?? 0;
    return seen(name, tone, series.queue_depth[name] ?? [], now, look);
  });

/**
 * @typedef {object} Plan of a chart
 * @property {string} title
 * @property {boolean} [bars]
 * @property {(value: number) => string} [words]
 * @property {(stats: Stats) => Line[]} lines
 * @property {(stats: Stats) => string} summary
 */

/** @type {Plan[]} */
const PLANS = [
  {
    title: "Throughput",
    bars: true,
    lines: ({ series }) => [
      happened("completed", "leaf", series.completed),
      happened("failed", "rust", series.failed, "hatched"),
    ],
    summary: ({ window }) => throughputWords(window),
  },
  {
    title: "Videos on the way",
    lines: ({ series, videos }) => [
      seen("queued", "brass", series.queued, videos["queued"] ?? 0, "dashed"),
      seen(
        "processing",
        "water",
        others(series.active, series.queued),
        videos["processing"] ?? 0,
      ),
      happened("uploaded", "ink-soft", series.uploaded, "dotted"),
    ],
    summary: activeWords,
  },
  {
    title: "Error rate",
    words: share,
    lines: ({ series: { completed, failed } }) => [
      {
        ...happened("failed of those that ended", "rust", failed),
        among: ended(completed, failed),
      },
    ],
    summary: ({ window }) => errorWords(window),
  },
  {
    title: "Queue depth",
    lines: depthLines,
    summary: depthWords,
  },
  {
    title: "Retries and dead letters",
    bars: true,
    lines: ({ series }) => [
      happened("retries", "brass", series.retries),
      happened("dead letters", "rust", series.dead_letters, "hatched"),
    ],
    summary: ({ window }) => troubleWords(window),
  },
  {
    title: "Cost, estimated",
    bars: true,
    words: dollars,
    lines: ({ series }) => [happened("cost", "water", series.cost_usd)],
    summary: costWords,
  },
];

/** @param {HTMLElement} element */
export function createCharts(element) {
  /** @type {Chart[]} */
  const charts = [];
  const palette = createPalette(() => charts.forEach((each) => each.redraw()));
  for (const { title, bars = false, words = count } of PLANS) {
    const whole = words === count;
    charts.push(createChart({ title, bars, whole, words, palette }));
  }
  const spread = createSpread();
  element.append(...charts.map((each) => each.element), spread.element);

  return {
    element,
    /** @param {Stats} stats */
    show(stats) {
      const at = stats.series.at.map((time) => Date.parse(time) / 1000);
      for (const [i, { lines, summary }] of PLANS.entries())
        charts[i]?.show(
          { at, step_s: stats.step_s, lines: lines(stats) },
          summary(stats),
        );
      spread.show(stats.window);
    },
    destroy() {
      palette.destroy();
      charts.forEach((each) => each.destroy());
      spread.destroy();
    },
  };
}
