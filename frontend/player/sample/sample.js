import { MillracePlayer } from "../element.js";

const MOST_LINES = 12;
const player = document.querySelector("millrace-player");
const list = document.querySelector("#events");

/** @param {string} words */
function note(words) {
  const line = document.createElement("li");
  line.textContent = words;
  list?.prepend(line);
  while (list && list.children.length > MOST_LINES) list.lastChild?.remove();
}

/** @param {Event} event */
function onEvent(event) {
  const detail = event instanceof CustomEvent ? event.detail : null;
  const words = typeof detail === "string" ? detail : (detail?.name ?? "");
  note(`${event.type} ${words}`.trim());
}

for (const name of ["mr-level", "mr-trouble", "mr-recovered", "mr-complete"])
  player?.addEventListener(name, onEvent);

if (player instanceof MillracePlayer)
  for (const name of ["play", "pause", "ended"])
    player.player?.video.addEventListener(name, onEvent);
