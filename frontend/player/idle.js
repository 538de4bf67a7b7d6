const HIDE_MS = 2600;

/**
 * Marks the player idle while nobody needs its controls.
 * @param {HTMLElement} element the player
 * @param {HTMLVideoElement} video
 * @param {{ busy: () => boolean, signal: AbortSignal }} options `busy`: the controls are in use
 * @returns {() => void} shows the controls again
 */
export function hideWhenIdle(element, video, { busy, signal }) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  function wake() {
    delete element.dataset["idle"];
    clearTimeout(timer);
    timer = setTimeout(() => {
      if (!video.paused && !busy()) element.dataset["idle"] = "";
    }, HIDE_MS);
  }
  for (const event of ["pointermove", "pointerdown", "focusin"])
    element.addEventListener(event, wake, { signal });
  for (const event of ["play", "pause"])
    video.addEventListener(event, wake, { signal });
  signal.addEventListener("abort", () => clearTimeout(timer));
  return wake;
}
