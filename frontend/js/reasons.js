// What a failure means to the person who uploaded the file. The codes are the pipeline's
// (layers/core/python/millrace/errors.py); a test keeps both lists equal.

/** @type {Record<string, string>} */
export const REASONS = {
  EMPTY_FILE: "The file is empty. Export it again and upload the new copy.",
  NOT_A_VIDEO: "This is not a video file, whatever its name says.",
  CORRUPT: "The file is damaged or was cut off. Upload a complete copy.",
  UNSUPPORTED_CONTAINER:
    "This kind of file is not supported. MP4, MOV, MKV, AVI and WebM are.",
  UNSUPPORTED_CODEC: "The video inside uses a codec that is not supported.",
  NO_VIDEO_STREAM: "There is no picture in this file, only sound or nothing.",
  EXTERNAL_REFERENCE:
    "The file points to other files. Upload the video itself, not a playlist of it.",
  LIMIT_EXCEEDED: "The video is larger or longer than this site allows.",
  SOURCE_UNREADABLE: "The uploaded file could not be read.",
  SOURCE_CHANGED: "The file was replaced while it was being processed.",
  SOURCE_MISSING: "The uploaded file is no longer there.",
  OUTPUT_FAILED: "The finished video could not be stored.",
  ENGINE_CRASHED: "The transcoder stopped on this file, each time it tried.",
  WORKER_LOST: "The machine working on this video went away, each time.",
  UPLOAD_EXPIRED: "The upload was never finished.",
  MALFORMED_MESSAGE: "Something went wrong inside Millrace. It is in the logs.",
  INTERNAL: "Something went wrong inside Millrace. It is in the logs.",
};

/**
 * @param {{ code: string, message?: string } | null | undefined} reason
 * @returns {string}
 */
export const reasonWords = (reason) =>
  (reason && (REASONS[reason.code] ?? reason.message)) ||
  "It failed, and no reason was recorded.";
