// Numbers out of getStats(): one reading a second, and what they mean.

/**
 * @typedef {object} Reading
 * @property {number} at_ms since 1970
 * @property {number | null} roundTrip_ms
 * @property {number | null} jitter_ms of what arrives, the worse of sound and picture
 * @property {number | null} loss 0…1 of the packets of the last second, both ways, the worse
 * @property {number | null} sentLoss 0…1 of what was sent, as the other side reports it
 * @property {number} up_bps
 * @property {number} down_bps
 * @property {number | null} width of the picture that arrives
 * @property {number | null} height
 * @property {number | null} frames_ps
 * @property {number | null} sentWidth of one's own picture, as it is sent
 * @property {number | null} sentHeight
 * @property {number | null} sentFrames_ps
 * @property {string} codecs e.g. "VP8, opus"
 * @property {string} path e.g. "host – relay"
 */

/** @typedef {Map<string, any>} Stats */
/** @typedef {{ stats: Stats, at_ms: number }} Sample */

/**
 * @param {Sample | null} before
 * @param {Sample} now
 * @returns {Reading}
 */
export function readingOf(before, { stats, at_ms }) {
  const all = [...stats.values()];
  const elapsed_s = before ? (at_ms - before.at_ms) / 1000 : 0;
  const transport = all.find(({ type }) => type === "transport");
  const pair = transport && stats.get(transport.selectedCandidatePairId);
  const inbound = all.filter(({ type }) => type === "inbound-rtp");
  const reports = all.filter(({ type }) => type === "remote-inbound-rtp");
  const sent = all.find(
    ({ type, kind }) => type === "outbound-rtp" && kind === "video",
  );
  const picture = inbound.find(({ kind }) => kind === "video");
  /**
   * @param {string} name
   * @param {any} item
   */
  const grown = (name, item) =>
    item ? (item[name] ?? 0) - (before?.stats.get(item.id)?.[name] ?? 0) : 0;
  /** @param {string} name */
  const rate = (name) =>
    elapsed_s > 0 ? (8 * grown(name, transport)) / elapsed_s : 0;
  const sentLoss = worst(reports.map(({ fractionLost }) => fractionLost));
  const lost = inbound.map((item) => {
    const gone = Math.max(0, grown("packetsLost", item));
    const all = gone + grown("packetsReceived", item);
    return all > 0 ? gone / all : undefined;
  });
  return {
    at_ms,
    roundTrip_ms: inMs(pair?.currentRoundTripTime),
    jitter_ms: inMs(worst(inbound.map(({ jitter }) => jitter)) ?? undefined),
    loss: worst([...lost, sentLoss ?? undefined]),
    sentLoss,
    up_bps: rate("bytesSent"),
    down_bps: rate("bytesReceived"),
    width: picture?.frameWidth ?? null,
    height: picture?.frameHeight ?? null,
    frames_ps: picture?.framesPerSecond ?? null,
    sentWidth: sent?.frameWidth ?? null,
    sentHeight: sent?.frameHeight ?? null,
    sentFrames_ps: sent?.framesPerSecond ?? null,
    codecs: codecsOf(inbound, stats),
    path: pathOf(pair, stats),
  };
}

/** @param {(number | undefined)[]} values */
function worst(values) {
  const known = values.filter((value) => typeof value === "number");
  return known.length ? Math.max(...known) : null;
}

/** @param {number | undefined} seconds */
const inMs = (seconds) =>
  typeof seconds === "number" ? Math.round(1e4 * seconds) / 10 : null;

/**
 * @param {any[]} inbound
 * @param {Stats} stats
 */
function codecsOf(inbound, stats) {
  const names = inbound
    .filter(({ packetsReceived }) => packetsReceived > 0)
    .map(({ codecId }) => stats.get(codecId)?.mimeType?.split("/")[1])
    .filter(Boolean);
  return [...new Set(names)].sort().join(", ") || "–";
}

/** @type {Record<string, string>} */
const ENDS = {
  host: "direct",
  srflx: "through NAT",
  prflx: "through NAT",
  relay: "relay",
};

/**
 * @param {any} pair
 * @param {Stats} stats
 */
function pathOf(pair, stats) {
  const here = stats.get(pair?.localCandidateId)?.candidateType;
  const there = stats.get(pair?.remoteCandidateId)?.candidateType;
  if (!here || !there) return "–";
  return `${ENDS[here] ?? here} – ${ENDS[there] ?? there}`;
}

/** @typedef {"good" | "fair" | "poor" | "unknown"} Grade */

/**
 * A rating in plain words, after ITU-T G.114 (one-way delay up to 150 ms is not noticed, above
 * 400 ms is not acceptable) and what concealment of lost packets hides.
 * @param {Reading | null} reading
 * @returns {{ grade: Grade, words: string }}
 */
export function rate(reading) {
  if (!reading || reading.roundTrip_ms === null)
    return { grade: "unknown", words: "Measuring…" };
  const { roundTrip_ms, loss, jitter_ms } = reading;
  const complaints = [
    {
      bad: (loss ?? 0) > 0.08,
      some: (loss ?? 0) > 0.02,
      of: "packets get lost",
    },
    {
      bad: roundTrip_ms > 600,
      some: roundTrip_ms > 250,
      of: "the way is long",
    },
    {
      bad: (jitter_ms ?? 0) > 80,
      some: (jitter_ms ?? 0) > 30,
      of: "packets come irregularly",
    },
  ];
  const bad = complaints.find((one) => one.bad);
  const some = complaints.find((one) => one.some);
  if (bad) return { grade: "poor", words: `Poor: ${bad.of}` };
  if (some) return { grade: "fair", words: `Fair: ${some.of}` };
  return { grade: "good", words: "Good" };
}
