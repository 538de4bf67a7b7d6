// One face for hls.js and Shaka Player, so that the tests ask both the same questions.
import Hls from "/node_modules/hls.js/dist/hls.mjs";

const video = document.querySelector("video");
const problems = [];
let analyser;

const withHls = {
  async load(url) {
    this.hls = new Hls({ startLevel: 0 });
    this.hls.on(Hls.Events.ERROR, (_, data) => problems.push(`${data.type} ${data.details}`));
    const parsed = new Promise((resolve) => this.hls.once(Hls.Events.MANIFEST_PARSED, resolve));
    this.hls.loadSource(url);
    this.hls.attachMedia(video);
    await parsed;
  },
  heights() {
    return this.hls.levels.map((level) => level.height);
  },
  show(height) {
    this.hls.currentLevel = this.heights().indexOf(height);
  },
  languages() {
    return this.hls.audioTracks.map((track) => track.lang);
  },
  speak(language) {
    this.hls.audioTrack = this.languages().indexOf(language);
  },
};

const withShaka = {
  async load(url) {
    shaka.polyfill.installAll();
    this.player = new shaka.Player();
    this.player.addEventListener("error", (event) => problems.push(`${event.detail.code}`));
    await this.player.attach(video);
    this.player.configure({ abr: { enabled: false } });
    await this.player.load(url);
  },
  tracks() {
    return this.player.getVariantTracks();
  },
  heights() {
    return [...new Set(this.tracks().map((track) => track.height))];
  },
  active() {
    return this.tracks().find((track) => track.active);
  },
  show(height) {
    const language = this.active().language;
    const found = this.tracks().find(
      (track) => track.height === height && track.language === language,
    );
    this.player.selectVariantTrack(found, true);
  },
  languages() {
    return this.player.getAudioTracks().map((track) => track.language);
  },
  speak(language) {
    const tracks = this.player.getAudioTracks();
    this.player.selectAudioTrack(tracks.find((track) => track.language === language));
  },
};

async function start(name, url) {
  const player = name === "hls.js" ? withHls : withShaka;
  await player.load(url);
  const context = new AudioContext();
  analyser = new AnalyserNode(context, { fftSize: 8192, smoothingTimeConstant: 0 });
  context.createMediaElementSource(video).connect(analyser).connect(context.destination);
  await context.resume();
  await video.play();
  window.player = player;
}

// The loudest frequency that is heard now, Hz.
function tone() {
  const levels = new Float32Array(analyser.frequencyBinCount);
  analyser.getFloatFrequencyData(levels);
  const loudest = levels.indexOf(Math.max(...levels));
  return levels[loudest] > -60 ? (loudest * analyser.context.sampleRate) / analyser.fftSize : 0;
}

// Brightness of the picture's left half: the tests' source tells the second by it.
function brightness() {
  const canvas = new OffscreenCanvas(8, 8);
  const context = canvas.getContext("2d");
  context.drawImage(video, 0, 0, 8, 8);
  return context.getImageData(2, 4, 1, 1).data[1];
}

// A picture's pixels, to see that it moves.
function picture() {
  const canvas = new OffscreenCanvas(64, 36);
  const context = canvas.getContext("2d");
  context.drawImage(video, 0, 0, 64, 36);
  return Array.from(context.getImageData(0, 0, 64, 36).data).join();
}

Object.assign(window, { start, tone, brightness, picture, problems, video });
