import { build } from "./build.js";
import { createButton } from "./button.js";

/**
 * @param {HTMLVideoElement} video
 * @param {{ mute: () => void, volume: (volume: number) => void }} actions
 * @param {AbortSignal} signal
 */
export function createVolume(video, actions, signal) {
  const mute = createButton({
    name: "volume",
    label: "Mute",
    onClick: actions.mute,
    signal,
  });
  const slider = build("input", "mr-volume__slider", {
    type: "range",
    min: "0",
    max: "1",
    step: "0.05",
    "aria-label": "Volume",
  });
  const onInput = () => actions.volume(slider.valueAsNumber);
  slider.addEventListener("input", onInput, { signal });
  const show = () => {
    const silent = video.muted || video.volume === 0;
    mute.show(silent ? "muted" : "volume", silent ? "Unmute (M)" : "Mute (M)");
    slider.value = String(silent ? 0 : video.volume);
    slider.style.setProperty("--at", slider.value);
    slider.setAttribute(
      "aria-valuetext",
      silent ? "muted" : `${Math.round(video.volume * 100)} %`,
    );
  };
  video.addEventListener("volumechange", show, { signal });
  show();
  return build("div", "mr-volume", {}, mute.button, slider);
}
