// What mp4box.js, a parser of its own, finds in an init segment and its media segments:
//   node mp4_facts.mjs INIT SEGMENT… → one JSON object
import { readFileSync } from "node:fs";
import { createFile, MP4BoxBuffer } from "../../node_modules/mp4box/dist/mp4box.all.mjs";

const file = createFile();
const complaints = [];
file.onError = (module, message) => complaints.push(`${module}: ${message}`);
let facts;
const samples = [];
file.onReady = (info) => {
  facts = info;
  file.setExtractionOptions(info.tracks[0].id, null, { nbSamples: 1 });
  file.start();
};
file.onSamples = (id, user, found) => samples.push(...found);

let at = 0;
for (const path of process.argv.slice(2)) {
  const content = readFileSync(path);
  const bytes = content.buffer.slice(content.byteOffset, content.byteOffset + content.length);
  file.appendBuffer(MP4BoxBuffer.fromArrayBuffer(bytes, at));
  at += content.length;
}
file.flush();

const [track] = facts.tracks;
console.log(
  JSON.stringify({
    complaints,
    brands: facts.brands,
    fragmented: facts.isFragmented,
    tracks: facts.tracks.length,
    codec: track.codec,
    timescale: track.timescale,
    width: track.video?.width ?? 0,
    height: track.video?.height ?? 0,
    sampleRate: track.audio?.sample_rate ?? 0,
    channels: track.audio?.channel_count ?? 0,
    samples: samples.map(({ dts, cts, duration, size, is_sync }) => ({
      dts,
      cts,
      duration,
      size,
      sync: is_sync,
    })),
  }),
);
