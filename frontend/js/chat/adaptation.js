// Sends less when the other side loses packets, and more again when it does not.
//
// The browser's own congestion control follows the bandwidth; this acts on loss that it takes for
// noise (radio), by whole steps of size and rate, so that what arrives is whole.

/** @import { Reading } from "./readings.js" */

export const STEPS = [
  { scale: 1, bitrate_bps: 2_500_000 },
  { scale: 1.5, bitrate_bps: 1_200_000 },
  { scale: 2, bitrate_bps: 600_000 },
  { scale: 4, bitrate_bps: 200_000 },
];
const BAD_LOSS = 0.08;
const GOOD_LOSS = 0.02;
const BAD_READINGS = 3;
const GOOD_READINGS = 12;

export function createAdaptation() {
  let step = 0;
  let bad = 0;
  let good = 0;
  /** What was set last. Not every browser tells all of it again, so asking it would not do.
   * @type {{ sender: RTCRtpSender, step: number, screen: boolean } | null} */
  let applied = null;

  /** @param {Reading} reading */
  function judge({ sentLoss }) {
    if (sentLoss === null) return step;
    bad = sentLoss > BAD_LOSS ? bad + 1 : 0;
    good = sentLoss < GOOD_LOSS ? good + 1 : 0;
    if (bad >= BAD_READINGS && step < STEPS.length - 1) {
      step += 1;
      bad = 0;
    } else if (good >= GOOD_READINGS && step > 0) {
      step -= 1;
      good = 0;
    }
    return step;
  }

  return {
    judge,

    reset() {
      step = bad = good = 0;
    },

    /**
     * @param {RTCRtpSender} sender of the picture
     * @param {boolean} screen a shared screen must stay readable: it gives up frames, not size
     */
    async apply(sender, screen) {
      if (
        applied?.sender === sender &&
        applied.step === step &&
        applied.screen === screen
      )
        return;
      const next = { sender, step, screen };
      const chosen = STEPS[step];
      const parameters = sender.getParameters();
      const [encoding] = parameters.encodings;
      if (!chosen || !encoding) return;
      encoding.maxBitrate = chosen.bitrate_bps;
      encoding.scaleResolutionDownBy = screen ? 1 : chosen.scale;
      parameters.degradationPreference = screen
        ? "maintain-resolution"
        : "balanced";
      await sender.setParameters(parameters);
      applied = next;
    },
  };
}
