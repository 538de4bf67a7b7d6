// Remembers where somebody stopped, and how loud it was.

/** @import { Memory } from "./memory.js" */

const SAVE_MS = 4000;

/**
 * @param {HTMLVideoElement} video
 * @param {object} options
 * @param {Memory} options.memory
 * @param {string | undefined} options.key of the video; without one only the volume is kept
 * @param {() => number} options.total seconds of the whole video
 * @param {AbortSignal} signal
 */
export function keepPlace(video, { memory, key, total }, signal) {
  const volume = memory.volume();
  if (volume) Object.assign(video, volume);
  const keepVolume = () => memory.keepVolume(video);
  video.addEventListener("volumechange", keepVolume, { signal });
  if (!key) return;
  let saved_ms = 0;
  const save = () => {
    // Before anything has been played, the place of the last time counts.
    if (video.played.length === 0) return;
    saved_ms = performance.now();
    memory.keepPosition(key, video.currentTime, total());
  };
  const saveSometimes = () => {
    if (performance.now() - saved_ms > SAVE_MS) save();
  };
  video.addEventListener("timeupdate", saveSometimes, { signal });
  for (const event of ["pause", "ended", "seeked"])
    video.addEventListener(event, save, { signal });
  // A page that goes away may tell of nothing else (bfcache, phones).
  window.addEventListener("pagehide", save, { signal });
  signal.addEventListener("abort", save);
}
