// A chart on a canvas (uPlot). Everything it shows is told in words and in a table beside it
// (chart.js).
import uPlot from "../../vendor/uplot/uplot.mjs";
import { hatch } from "./hatch.js";
import { moment } from "./numbers.js";
import { bottomsUp } from "./steps.js";

/** @import { Palette, Tone } from "./palette.js" */
/** @import { Values } from "./types.js" */

/**
 * @typedef {object} Line
 * @property {string} name
 * @property {Tone} tone
 * @property {"plain" | "dashed" | "dotted" | "hatched"} look tells it from others without its colour
 * @property {Values} values
 * @property {boolean} sums whether values of several steps add up
 * @property {Values} [among] what the values are a part of: the line is their share of it
 * @property {number} [now] the value at this moment, where it is known better than by the last step
 *
 * @typedef {object} Drawing
 * @property {number[]} at seconds since 1970
 * @property {number} step_s
 * @property {Line[]} lines
 */

const HEIGHT_PX = 190;
const DAY_S = 86_400;
const COLUMNS = uPlot.paths.bars?.({
  size: [0.82, 36],
  align: 1,
  radius: 0.08,
});
const WHOLE = [1, 2, 5]
  .flatMap((each) => [...Array(9).keys()].map((power) => each * 10 ** power))
  .sort((a, b) => a - b);
const DASHES = { dashed: [8, 4], dotted: [2, 3], plain: [], hatched: [] };

/** @param {number} s @param {number} step_s between two marks */
const mark = (s, step_s) =>
  new Date(s * 1000).toLocaleString(
    "en-GB",
    step_s >= DAY_S
      ? { day: "numeric", month: "short" }
      : { hour: "2-digit", minute: "2-digit" },
  );

/**
 * Where a value has no neighbour there is no line to it, so it is a point.
 * @param {uPlot} plot
 * @param {number} which
 * @returns {number[]}
 */
function alone(plot, which) {
  const values = plot.data[which] ?? [];
  return [...values.keys()].filter(
    (i) => values[i] != null && values[i - 1] == null && values[i + 1] == null,
  );
}

/** @param {Palette} palette @returns {uPlot.Axis} */
const axis = (palette) => ({
  stroke: () => palette.colour("ink-soft"),
  font: '12px "Archivo", sans-serif',
  grid: { stroke: () => palette.colour("line"), width: 1 },
  ticks: { show: false },
});

/**
 * @param {Line} line
 * @param {boolean} bars
 * @param {Palette} palette
 * @returns {uPlot.Series}
 */
function seriesOf({ name, tone, look }, bars, palette) {
  const colour = () => palette.colour(tone);
  if (!bars)
    return {
      label: name,
      stroke: colour,
      width: 2,
      dash: DASHES[look],
      points: { filter: alone, size: 5, fill: colour },
    };
  return {
    label: name,
    fill: (plot) => (look === "hatched" ? hatch(plot.ctx, colour()) : colour()),
    // What lies on top of another is parted from it by a line of the ground.
    stroke: () => palette.colour("surface"),
    width: 1,
    ...(COLUMNS && { paths: COLUMNS }),
    points: { show: false },
  };
}

/**
 * @param {object} options
 * @param {HTMLElement} options.element of a fixed height
 * @param {boolean} options.bars stacked bars; otherwise lines
 * @param {boolean} options.whole there is nothing between two whole numbers
 * @param {Palette} options.palette
 * @param {(value: number) => string} options.words of a value on the axis
 * @param {(index: number | null) => void} options.onPoint told which step is pointed at
 */
export function createPlot({ element, bars, whole, palette, words, onPoint }) {
  /** @type {uPlot | null} */
  let plot = null;
  let names = "";
  let step_s = 0;

  /** @param {Line[]} lines */
  function build(lines) {
    plot?.destroy();
    const ordered = bars ? [...lines].reverse() : lines;
    /** @type {uPlot.Options} */
    const options = {
      width: element.clientWidth || 300,
      height: HEIGHT_PX,
      padding: [12, 8, 0, 0],
      legend: { show: false },
      cursor: {
        y: false,
        drag: { x: false, y: false },
        points: { show: !bars },
        sync: { key: "dashboard" },
      },
      scales: {
        // The last step is still running, and has room to grow.
        x: { range: (_, from, to) => [from, to + step_s] },
        y: { range: (_, __, most) => [0, most > 0 ? most * 1.08 : 1] },
      },
      axes: [
        {
          ...axis(palette),
          space: 76,
          size: 26,
          gap: 8,
          values: (_, marks, __, ___, step) => marks.map((s) => mark(s, step)),
          grid: { show: false },
        },
        {
          ...axis(palette),
          size: 52,
          ...(whole && { incrs: WHOLE }),
          values: (_, marks) => marks.map(words),
        },
      ],
      series: [{}, ...ordered.map((line) => seriesOf(line, bars, palette))],
      hooks: { setCursor: [({ cursor }) => onPoint(cursor.idx ?? null)] },
    };
    plot = new uPlot(options, [[]], element);
  }

  const resized = new ResizeObserver(() =>
    plot?.setSize({ width: element.clientWidth, height: HEIGHT_PX }),
  );
  resized.observe(element);

  return {
    /** @param {Drawing} drawing */
    show({ at, step_s: step, lines }) {
      step_s = step;
      const now = lines.map(({ name }) => name).join("\n");
      if (!plot || now !== names) build(lines);
      names = now;
      const values = lines.map((line) => line.values);
      const columns = bars ? bottomsUp(values).reverse() : values;
      plot?.setData([at, ...columns]);
    },
    redraw: () => plot?.redraw(false),
    destroy() {
      resized.disconnect();
      plot?.destroy();
    },
  };
}

/** @param {number} s @param {number} span_s */
export const when = (s, span_s) => moment(s * 1000, span_s);
