// A small graph of a value over the last minute. Drawn as SVG, so that CSS colours it.

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 100;
const HEIGHT = 24;

/**
 * @param {readonly number[]} values oldest first
 * @param {number} most how many the graph has room for; newer ones are on the right
 * @param {number} [least_top] the scale reaches at least so far
 * @returns {{ line: string, area: string }} path data in a box of 100 × 24
 */
export function pathsOf(values, most, least_top = 0) {
  if (values.length === 0) return { line: "", area: "" };
  const top = Math.max(least_top, ...values) || 1;
  const step = WIDTH / (most - 1);
  const first = WIDTH - (values.length - 1) * step;
  const points = values.map((value, at) => {
    const y = HEIGHT - 1 - (value / top) * (HEIGHT - 2);
    return `${(first + at * step).toFixed(1)} ${y.toFixed(1)}`;
  });
  const line = `M${points.join("L")}`;
  return {
    line,
    area: `${line}L${WIDTH} ${HEIGHT}L${first.toFixed(1)} ${HEIGHT}Z`,
  };
}

/** @param {{ most: number, leastTop?: number }} options */
export function createGraph({ most, leastTop = 0 }) {
  const element = document.createElementNS(SVG, "svg");
  element.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
  element.setAttribute("preserveAspectRatio", "none");
  element.setAttribute("aria-hidden", "true");
  element.classList.add("mr-graph");
  const area = document.createElementNS(SVG, "path");
  area.classList.add("mr-graph__area");
  const line = document.createElementNS(SVG, "path");
  line.classList.add("mr-graph__line");
  element.append(area, line);
  return {
    element,
    /** @param {readonly number[]} values */
    show(values) {
      const paths = pathsOf(values, most, leastTop);
      area.setAttribute("d", paths.area);
      line.setAttribute("d", paths.line);
    },
  };
}
