// Instead of a camera: the present time as 24 white or black fields, 8 more to check them by, and a
// tone. Instead of a person: who looks at the far picture and reads the time out of it.
(() => {
  const COLUMNS = 8;
  const ROWS = 4;
  const MODULUS = 2 ** 24;
  /** @param {number} value */
  const check = (value) =>
    (value ^ (value >> 8) ^ (value >> 16) ^ 0b10100101) & 255;

  function pretendedCamera() {
    const canvas = document.createElement("canvas");
    canvas.width = 640;
    canvas.height = 360;
    const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    const width = canvas.width / COLUMNS;
    const height = canvas.height / ROWS;
    setInterval(() => {
      const value = Date.now() % MODULUS;
      for (let bit = 0; bit < 32; bit += 1) {
        const on = bit < 24 ? (value >> bit) & 1 : (check(value) >> (bit - 24)) & 1;
        pen.fillStyle = on ? "white" : "black";
        pen.fillRect((bit % COLUMNS) * width, Math.floor(bit / COLUMNS) * height, width, height);
      }
    }, 1000 / 30);
    return canvas.captureStream(30);
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

  const Real = RTCPeerConnection;
  window.connections = [];
  window.RTCPeerConnection = class extends Real {
    constructor(...all) {
      super(...all);
      window.connections.push(this);
    }
  };

  /** What this side's end of the path is: `host`, `srflx`, `relay`, … */
  window.ownEnd = async () => {
    const stats = await window.connections.at(-1).getStats();
    const all = [...stats.values()];
    const transport = all.find(({ type }) => type === "transport");
    const pair = stats.get(transport.selectedCandidatePairId);
    return stats.get(pair.localCandidateId).candidateType;
  };
})();
