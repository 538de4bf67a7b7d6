// One's own camera, microphone and screen.
import { deviceWords } from "./words.js";

/** @import { Slot, Tracks } from "./types.js" */

const PICTURE = {
  width: { ideal: 1280 },
  height: { ideal: 720 },
  frameRate: { ideal: 30 },
};
const SOUND = { echoCancellation: true, noiseSuppression: true };

/** @typedef {{ what: "microphone" | "camera", words: string }} Problem */
/** @typedef {{ mic: string, camera: string }} Chosen device ids; "" is the browser's choice */
/** @typedef {ReturnType<typeof createMedia>} Media */

/**
 * @param {object} options
 * @param {(slot: Slot, track: MediaStreamTrack | null) => void} options.onTrack
 * @param {(problems: Problem[]) => void} options.onProblems what does not work now, in words
 * @param {(devices: MediaDeviceInfo[]) => void} options.onDevices
 * @param {MediaDevices | undefined} [options.devices] undefined on pages without https
 */
export function createMedia({
  onTrack,
  onProblems,
  onDevices,
  devices = navigator.mediaDevices,
}) {
  const controller = new AbortController();
  /** @type {Tracks} */
  const tracks = { mic: null, camera: null, screenSound: null };
  /** @type {Chosen} */
  const chosen = { mic: "", camera: "" };
  /** @type {Map<"microphone" | "camera", string>} */
  const problems = new Map();
  /** @type {MediaStreamTrack | null} the camera's own while the screen has its slot */
  let camera = null;
  let cameraOn = true;
  let sharing = false;

  devices?.addEventListener("devicechange", list, {
    signal: controller.signal,
  });

  async function list() {
    onDevices((await devices?.enumerateDevices()) ?? []);
  }

  /**
   * @param {"mic" | "camera"} slot
   * @returns {Promise<MediaStreamTrack | null>}
   */
  async function capture(slot) {
    const what = slot === "mic" ? "microphone" : "camera";
    const wanted = chosen[slot];
    const device = wanted ? { deviceId: { exact: wanted } } : {};
    try {
      if (!devices) throw new TypeError("no mediaDevices");
      const stream = await devices.getUserMedia(
        slot === "mic"
          ? { audio: { ...SOUND, ...device } }
          : { video: { ...PICTURE, ...device } },
      );
      problems.delete(what);
      const track = stream.getTracks()[0] ?? null;
      track?.addEventListener("ended", () => lost(slot), {
        signal: controller.signal,
      });
      return track;
    } catch (error) {
      if (
        wanted &&
        error instanceof Error &&
        error.name === "OverconstrainedError"
      ) {
        chosen[slot] = "";
        return capture(slot);
      }
      problems.set(what, deviceWords(what, error));
      return null;
    }
  }

  /** @param {"mic" | "camera"} slot it was pulled out, or taken away */
  function lost(slot) {
    const what = slot === "mic" ? "microphone" : "camera";
    problems.set(what, `Your ${what} was disconnected. Choose another one.`);
    if (slot === "camera") putCamera(null);
    else put(slot, null);
    tell();
  }

  /**
   * @param {Slot} slot
   * @param {MediaStreamTrack | null} track
   */
  function put(slot, track) {
    tracks[slot] = track;
    onTrack(slot, track);
  }

  /** @param {MediaStreamTrack | null} track while the screen has the slot, it keeps it */
  function putCamera(track) {
    camera = track;
    put("camera", sharing ? tracks.camera : track);
  }

  function tell() {
    onProblems([...problems].map(([what, words]) => ({ what, words })));
  }

  /** @param {"mic" | "camera"} slot */
  async function start(slot) {
    const track = await capture(slot);
    if (controller.signal.aborted) {
      track?.stop();
      return;
    }
    if (slot === "mic") {
      tracks.mic?.stop();
      if (track) track.enabled = tracks.mic?.enabled ?? true;
      put("mic", track);
    } else {
      camera?.stop();
      putCamera(track);
    }
    tell();
    await list();
  }

  function stopSharing() {
    if (!sharing) return;
    sharing = false;
    tracks.camera?.stop();
    tracks.screenSound?.stop();
    put("screenSound", null);
    put("camera", cameraOn ? camera : null);
  }

  return {
    tracks,
    get sharing() {
      return sharing;
    },
    get micOn() {
      return tracks.mic?.enabled ?? false;
    },
    get cameraOn() {
      return cameraOn && camera !== null;
    },

    /** Asks for both; what fails is told in words, and the call is joined without it. */
    async open() {
      // One after the other: a missing camera must not cost the microphone.
      await start("mic");
      await start("camera");
    },

    /**
     * @param {"mic" | "camera"} slot
     * @param {string} deviceId
     */
    choose(slot, deviceId) {
      chosen[slot] = deviceId;
      return start(slot);
    },

    async toggleMic() {
      if (!tracks.mic) return start("mic");
      tracks.mic.enabled = !tracks.mic.enabled;
      onTrack("mic", tracks.mic);
      return undefined;
    },

    /** Off means off: the camera's light goes out. */
    async toggleCamera() {
      if (!camera) {
        cameraOn = true;
        return start("camera");
      }
      camera.stop();
      cameraOn = false;
      putCamera(null);
      return undefined;
    },

    /** @returns {Promise<string | null>} words if it did not work; null also if one thought better */
    async share() {
      if (!devices?.getDisplayMedia)
        return "This browser cannot share the screen.";
      try {
        const stream = await devices.getDisplayMedia({
          video: { frameRate: { ideal: 15 } },
          audio: true,
          // @ts-expect-error not in TypeScript's list yet
          systemAudio: "include",
        });
        const [picture] = stream.getVideoTracks();
        const [sound] = stream.getAudioTracks();
        if (!picture) return "Nothing was chosen to share.";
        picture.contentHint = "detail";
        picture.addEventListener("ended", stopSharing);
        sharing = true;
        put("camera", picture);
        put("screenSound", sound ?? null);
        return null;
      } catch (error) {
        if (error instanceof Error && error.name === "NotAllowedError")
          return null;
        return "The screen cannot be shared at the moment.";
      }
    },

    stopSharing,

    destroy() {
      controller.abort();
      for (const track of [...Object.values(tracks), camera]) track?.stop();
    },
  };
}
