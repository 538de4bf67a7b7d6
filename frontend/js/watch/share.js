// A link and a snippet to copy, from the beginning or from where the video is.
import { find } from "../dom.js";
import { clock } from "../format.js";
import { addressOf, snippetOf } from "./snippet.js";

/** @import { Player } from "../../player/player.js" */
/** @import { Video } from "../types.js" */

const SAID_MS = 2000;

/**
 * `navigator.clipboard` is missing on plain-HTTP sites.
 * @param {HTMLInputElement | HTMLTextAreaElement} field
 */
async function copy(field) {
  field.select();
  if (navigator.clipboard) await navigator.clipboard.writeText(field.value);
  else if (!document.execCommand("copy")) throw new Error("refused");
}

/**
 * @param {HTMLButtonElement} button
 * @param {HTMLInputElement | HTMLTextAreaElement} field
 * @param {HTMLElement} said
 * @param {AbortSignal} signal
 */
function wireCopy(button, field, said, signal) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const onClick = async () => {
    const done = await copy(field).then(
      () => "Copied",
      () => "Selected: copy it with your keyboard",
    );
    said.textContent = done;
    clearTimeout(timer);
    timer = setTimeout(() => said.replaceChildren(), SAID_MS);
  };
  button.addEventListener("click", onClick, { signal });
}

/** @param {HTMLElement} element */
export function createShare(element) {
  const controller = new AbortController();
  const { signal } = controller;
  const link = find(element, "#share-link", HTMLInputElement);
  const code = find(element, "#share-code", HTMLTextAreaElement);
  const here = find(element, "#share-here", HTMLInputElement);
  const hereText = find(element, "#share-time", HTMLElement);
  const said = find(element, "#share-said", HTMLElement);
  /** @type {Video | null} */
  let video = null;
  let time_s = 0;

  function update() {
    if (!video) return;
    const base = location.href;
    const start_s = here.checked ? time_s : 0;
    link.value = addressOf("watch.html", { id: video.id, start_s, base });
    code.value = snippetOf(video, { start_s, base });
  }
  here.addEventListener("change", update, { signal });
  for (const [id, field] of /** @type {const} */ ([
    ["#copy-link", link],
    ["#copy-code", code],
  ]))
    wireCopy(find(element, id, HTMLButtonElement), field, said, signal);

  return {
    element,
    /** @param {Video} next */
    show(next) {
      video = next;
      element.hidden = !next.hls_url;
      update();
    },
    /** @param {Player} player */
    follow(player) {
      const onTime = () => {
        const now_s = Math.floor(player.video.currentTime);
        if (now_s === time_s) return;
        time_s = now_s;
        hereText.textContent = clock(now_s);
        update();
      };
      player.video.addEventListener("timeupdate", onTime, { signal });
    },
    destroy: () => controller.abort(),
  };
}
