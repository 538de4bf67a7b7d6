// Instead of a camera: the present time as 24 white or black fields, 8 more to check them by, and a
// tone. Instead of a person: who looks at the far picture and reads the time out of it.
(() => {
  const COLUMNS = 8;
  const ROWS = 4;
  const MODULUS = 2 ** 24;
  const FRAMES_PS = 30;
  /** @param {number} value */
  const check = (value) =>
    (value ^ (value >> 8) ^ (value >> 16) ^ 0b10100101) & 255;

  function pretendedCamera() {
    const canvas = document.createElement("canvas");
    canvas.width = 640;
    canvas.height = 360;
    const pen = /** @type {CanvasRenderingContext2D} */ (
      canvas.getContext("2d", { alpha: false, willReadFrequently: true })
    );
    const width = canvas.width / COLUMNS;
    const height = canvas.height / ROWS;
    // A picture is taken when it is drawn, not when the page happens to be painted.
    const stream = canvas.captureStream(0);
    const [track] = /** @type {CanvasCaptureMediaStreamTrack[]} */ (
      stream.getVideoTracks()
    );
    setInterval(() => {
      const value = Date.now() % MODULUS;
      for (let bit = 0; bit < 32; bit += 1) {
        const on = bit < 24 ? (value >> bit) & 1 : (check(value) >> (bit - 24)) & 1;
        pen.fillStyle = on ? "white" : "black";
        pen.fillRect((bit % COLUMNS) * width, Math.floor(bit / COLUMNS) * height, width, height);
      }
      track.requestFrame();
    }, 1000 / FRAMES_PS);
    return stream;
  }

  function pretendedMicrophone() {
    const sound = new AudioContext();
    const end = sound.createMediaStreamDestination();
    const tone = sound.createOscillator();
    tone.connect(end);
    tone.start();
    return end.stream;
  }

  navigator.mediaDevices.getUserMedia = async (wanted) =>
    wanted?.video ? pretendedCamera() : pretendedMicrophone();

  /** Delays of every new picture from now on, in ms; what cannot be read counts as unreadable. */
  window.measureDelays = (seconds) =>
    new Promise((resolve) => {
      const far = /** @type {HTMLVideoElement} */ (document.querySelector("#far"));
      const canvas = new OffscreenCanvas(COLUMNS * 4, ROWS * 4);
      const pen = canvas.getContext("2d", { willReadFrequently: true });
      const delays = [];
      let unreadable = 0;
      const until = performance.now() + 1000 * seconds;
      const look = (now, { expectedDisplayTime }) => {
        pen.drawImage(far, 0, 0, canvas.width, canvas.height);
        const shown = Math.round(performance.timeOrigin + Math.max(now, expectedDisplayTime));
        const { data } = pen.getImageData(0, 0, canvas.width, canvas.height);
        let value = 0;
        let sum = 0;
        for (let bit = 0; bit < 32; bit += 1) {
          const x = (bit % COLUMNS) * 4 + 2;
          const y = Math.floor(bit / COLUMNS) * 4 + 2;
          const on = data[4 * (y * canvas.width + x)] > 127 ? 1 : 0;
          if (bit < 24) value |= on << bit;
          else sum |= on << (bit - 24);
        }
        if (check(value) === sum) delays.push(((shown % MODULUS) - value + MODULUS) % MODULUS);
        else unreadable += 1;
        if (now < until) far.requestVideoFrameCallback(look);
        else resolve({ delays, unreadable });
      };
      far.requestVideoFrameCallback(look);
    });

  /** What the browser accounts for: means in ms of each picture so far, and the way itself. */
  window.stages = async () => {
    const stats = await window.connections.at(-1).getStats();
    const all = [...stats.values()];
    const of = (type, kind) => all.find((one) => one.type === type && one.kind === kind);
    const out = of("outbound-rtp", "video");
    const into = of("inbound-rtp", "video");
    const sound = of("inbound-rtp", "audio"); // what it loses is not sent again
    const { selectedCandidatePairId } = all.find(({ type }) => type === "transport");
    const mean = (sum, count) => (1000 * sum) / (count || 1);
    return {
      sent: {
        encoding: mean(out.totalEncodeTime, out.framesEncoded),
        pacing: mean(out.totalPacketSendDelay, out.packetsSent),
      },
      shown: {
        "jitter buffer": mean(into.jitterBufferDelay, into.jitterBufferEmittedCount),
        decoding: mean(into.totalDecodeTime, into.framesDecoded),
      },
      way: {
        roundTrip_ms: 1000 * stats.get(selectedCandidatePairId).currentRoundTripTime,
        lost_percent: (100 * sound.packetsLost) / (sound.packetsLost + sound.packetsReceived),
      },
    };
  };
})();
