// 24 × 24 outlines, drawn for this player. Built as elements, so that no markup is parsed.

const SVG = "http://www.w3.org/2000/svg";

const PATHS = {
  play: "M7 4.5v15l12.5-7.5z",
  pause: "M6 4.5h4v15H6zM14 4.5h4v15h-4z",
  replay:
    "M12 5V1.5L6.5 6 12 10.5V7a5.5 5.5 0 1 1-5.5 5.5h-2A7.5 7.5 0 1 0 12 5z",
  volume:
    "M3 9v6h4l5 4.5v-15L7 9zM14.5 8.3v7.4a4 4 0 0 0 0-7.4zM14.5 4.2v2.1a6 6 0 0 1 0 11.4v2.1a8 8 0 0 0 0-15.6z",
  muted:
    "M3 9v6h4l5 4.5v-15L7 9zM15 9.4 16.4 8l2.1 2.1L20.6 8 22 9.4l-2.1 2.1 2.1 2.1-1.4 1.4-2.1-2.1-2.1 2.1-1.4-1.4 2.1-2.1z",
  quality:
    "M4 6h9.2a3 3 0 0 1 5.6 0H20v2h-1.2a3 3 0 0 1-5.6 0H4zM4 16h1.2a3 3 0 0 1 5.6 0H20v2h-9.2a3 3 0 0 1-5.6 0H4z",
  captions:
    "M3 5h18v14H3zM5 7v10h14V7zM6.5 10.5h5v2h-5zM13 10.5h4.5v2H13zM6.5 13.5h8v2h-8z",
  sound:
    "M12 3a9 9 0 0 0-9 9v7a2 2 0 0 0 2 2h3v-8H5v-1a7 7 0 0 1 14 0v1h-3v8h3a2 2 0 0 0 2-2v-7a9 9 0 0 0-9-9z",
  stats: "M4 13h3.2v7H4zM10.4 4h3.2v16h-3.2zM16.8 9H20v11h-3.2z",
  pip: "M3 5h18v14H3zM5 7v10h14V7zM12 11.5h5.5V16H12z",
  pipBack: "M3 5h18v14H3zM5 7v10h14V7zM6.5 8.5H12V13H6.5z",
  fullscreen:
    "M4 4h7v2H6v5H4zM13 4h7v7h-2V6h-5zM4 13h2v5h5v2H4zM18 13h2v7h-7v-2h5z",
  windowed:
    "M9 4h2v7H4V9h5zM13 4h2v5h5v2h-7zM4 13h7v7H9v-5H4zM13 13h7v2h-5v5h-2z",
  help: "M12 2.5a9.5 9.5 0 1 0 0 19 9.5 9.5 0 0 0 0-19zm0 2a7.5 7.5 0 1 1 0 15 7.5 7.5 0 0 1 0-15zm-.9 11.2h2v2h-2zM12 6.3a3.6 3.6 0 0 0-3.6 3.4h2a1.6 1.6 0 1 1 2.3 1.5c-1.1.6-1.7 1.3-1.7 2.6v.6h2v-.4c0-.6.2-.9.8-1.2A3.6 3.6 0 0 0 12 6.3z",
};

/** @typedef {keyof typeof PATHS} IconName */

/**
 * @param {IconName} name
 * @returns {SVGSVGElement}
 */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("fill", "currentColor");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name]);
  path.setAttribute("fill-rule", "evenodd");
  svg.append(path);
  return svg;
}
