// The lists of microphones and cameras.

/**
 * @param {HTMLSelectElement} select
 * @param {MediaDeviceInfo[]} devices
 * @param {"audioinput" | "videoinput"} kind
 * @param {MediaStreamTrack | null} track the one in use
 */
export function fillDevices(select, devices, kind, track) {
  const found = devices.filter((device) => device.kind === kind);
  const used = track?.getSettings().deviceId ?? "";
  select.replaceChildren(
    ...found.map(({ deviceId, label }, index) => {
      const noun = kind === "audioinput" ? "Microphone" : "Camera";
      // Browsers tell names only after they were allowed to use a device.
      const text = label || `${noun} ${index + 1}`;
      return new Option(text, deviceId, false, deviceId === used);
    }),
  );
  select.disabled = found.length === 0;
  if (found.length === 0) select.append(new Option("None found", ""));
}
