// The system's own controls: the keys of a keyboard or headset, the lock screen of a phone.

/** @typedef {{ play: () => void, pause: () => void, by: (seconds: number) => void, seek: (time_s: number) => void }} Remote */

const STEP_S = 10;

/**
 * @param {HTMLVideoElement} video
 * @param {{ title: string, poster?: string | null | undefined, total: () => number, remote: Remote }} options
 * @param {AbortSignal} signal
 */
export function joinMediaSession(
  video,
  { title, poster, total, remote },
  signal,
) {
  const session = navigator.mediaSession;
  if (!session) return;
  const artwork = poster
    ? [{ src: new URL(poster, document.baseURI).href }]
    : [];
  const takeOver = () => {
    session.metadata = new MediaMetadata({ title, artwork });
    setHandlers(session, remote);
  };
  const showPosition = () => {
    const duration = total();
    if (duration > 0)
      session.setPositionState({
        duration,
        playbackRate: video.playbackRate,
        position: Math.min(video.currentTime, duration),
      });
  };
  const showState = () => {
    session.playbackState = video.paused ? "paused" : "playing";
  };
  // With several players on a page, the session belongs to the one that was started last.
  video.addEventListener("play", takeOver, { signal });
  for (const event of ["play", "pause"])
    video.addEventListener(event, showState, { signal });
  for (const event of ["seeked", "ratechange", "durationchange", "playing"])
    video.addEventListener(event, showPosition, { signal });
  signal.addEventListener("abort", () => setHandlers(session, null));
}

/**
 * @param {MediaSession} session
 * @param {Remote | null} remote
 */
function setHandlers(session, remote) {
  /** @type {[MediaSessionAction, (details: MediaSessionActionDetails) => void][]} */
  const handlers = [
    ["play", () => remote?.play()],
    ["pause", () => remote?.pause()],
    ["seekbackward", ({ seekOffset }) => remote?.by(-(seekOffset ?? STEP_S))],
    ["seekforward", ({ seekOffset }) => remote?.by(seekOffset ?? STEP_S)],
    ["seekto", ({ seekTime }) => remote?.seek(seekTime ?? 0)],
  ];
  for (const [action, handler] of handlers)
    try {
      session.setActionHandler(action, remote ? handler : null);
    } catch {
      // An action that this browser does not know.
    }
}
