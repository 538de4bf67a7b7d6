// The only place that calls `fetch`. Everything that goes wrong comes out as an ApiError.

/** @import { LetterPage, Range, RedriveWish, Redriven, Stats, Trace, Workers } from "./dashboard/types.js" */
/** @import { PartUrl, Progress, Sort, StoredPart, StoredParts, Status, TokenInfo, UploadRules, UploadTicket, Video, VideoPage, VideoSettings } from "./types.js" */

/** A request that did not succeed. */
export class ApiError extends Error {
  /**
   * @param {number} status HTTP status; 0 when no answer came
   * @param {string} code the problem's slug (RFC 9457 `type`), e.g. "invalid-token"; "network"
   *   when no answer came, "http-503" when the answer named no problem
   * @param {string} message one sentence for a person
   * @param {number | null} [retryAfter_s] what the server asked for
   */
  constructor(status, code, message, retryAfter_s = null) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.code = code;
    this.retryAfter_s = retryAfter_s;
  }

  /** Whether the same request may succeed a little later. */
  get temporary() {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

/** @param {unknown} error */
export const isAbort = (error) =>
  error instanceof DOMException && error.name === "AbortError";

/**
 * @param {Response} response
 * @returns {Promise<ApiError>}
 */
async function problemOf(response) {
  const body = await response.json().catch(() => ({}));
  const slug =
    typeof body.type === "string" && body.type.includes("/")
      ? body.type.split("/").at(-1)
      : "";
  const retryAfter_s = Number(response.headers.get("retry-after"));
  return new ApiError(
    response.status,
    slug || `http-${response.status}`,
    body.detail || body.title || `The server answered ${response.status}.`,
    retryAfter_s > 0 ? retryAfter_s : null,
  );
}

/**
 * @typedef {object} ApiOptions
 * @property {string} baseUrl where the API lives
 * @property {() => string | null} token the access token, if one was entered
 * @property {typeof globalThis.fetch} [fetch] for tests
 */

/** @typedef {ReturnType<typeof createApi>} Api */

/** @param {ApiOptions} options */
export function createApi({
  baseUrl,
  token,
  fetch = globalThis.fetch.bind(globalThis),
}) {
  const root = baseUrl.replace(/\/+$/, "");

  /**
   * @param {string} path
   * @param {{ method?: string, body?: unknown, headers?: Record<string, string>,
   *   signal?: AbortSignal | undefined, authorized?: boolean }} [request]
   * @returns {Promise<any>}
   */
  async function call(path, request = {}) {
    const { method = "GET", body, signal, authorized = true } = request;
    /** @type {Record<string, string>} */
    const headers = { ...request.headers };
    const secret = token();
    if (authorized && secret) headers["Authorization"] = `Bearer ${secret}`;
    if (body !== undefined) headers["Content-Type"] = "application/json";
    /** @type {RequestInit} */
    const init = { method, headers };
    if (signal) init.signal = signal;
    if (body !== undefined) init.body = JSON.stringify(body);
    // "no-cache" makes the browser ask with If-None-Match and answer from its cache on 304, which
    // needs neither a preflight nor an exposed ETag header.
    if (method === "GET") init.cache = "no-cache";
    const response = await fetch(root + path, init).catch((cause) => {
      if (isAbort(cause)) throw cause;
      throw new ApiError(0, "network", "Millrace cannot be reached.");
    });
    if (!response.ok) throw await problemOf(response);
    return response.status === 204 ? null : response.json();
  }

  /**
   * @param {Record<string, string | number | null | undefined>} query what is empty is left out
   * @returns {string} "?name=value…"; "" when all of it is empty
   */
  function suffix(query) {
    const parameters = new URLSearchParams();
    for (const [name, value] of Object.entries(query))
      if (value) parameters.set(name, String(value));
    return parameters.size > 0 ? `?${parameters}` : "";
  }

  /** @param {string} id */
  const upload = (id) => `/uploads/${encodeURIComponent(id)}`;

  return {
    /**
     * Reading is public: without need no token is sent, so that no preflight is needed and caches
     * are shared. `authorized`: with it, which shows an admin more.
     * @param {{ status?: Status | null, from?: string, to?: string, q?: string, sort?: Sort,
     *   cursor?: string | null, limit?: number, signal?: AbortSignal, authorized?: boolean }} [query]
     * @returns {Promise<VideoPage>}
     */
    listVideos: ({ signal, authorized = false, ...query } = {}) =>
      call(`/videos${suffix(query)}`, { signal, authorized }),

    /**
     * @param {string} id
     * @param {AbortSignal} [signal]
     * @returns {Promise<Video>}
     */
    getVideo: (id, signal) =>
      call(`/videos/${encodeURIComponent(id)}`, { signal, authorized: false }),

    /**
     * @param {AbortSignal} [signal]
     * @returns {Promise<TokenInfo>} whose the access token is
     */
    whoAmI: (signal) => call("/token", { signal }),

    /**
     * @param {AbortSignal} [signal]
     * @returns {Promise<UploadRules>}
     */
    uploadRules: (signal) => call("/uploads", { signal, authorized: false }),

    /**
     * @param {{ filename: string, size_bytes: number, content_type?: string, title?: string,
     *   settings?: VideoSettings }} file
     * @param {{ idempotencyKey: string, signal?: AbortSignal }} options the key makes a repeated
     *   request return the same video instead of a second one
     * @returns {Promise<UploadTicket>}
     */
    createUpload: (file, { idempotencyKey, signal }) =>
      call("/uploads", {
        method: "POST",
        body: file,
        headers: { "Idempotency-Key": idempotencyKey },
        signal,
      }),

    /**
     * @param {string} id
     * @param {number[]} partNumbers
     * @param {AbortSignal} [signal]
     * @returns {Promise<{ parts: PartUrl[] }>}
     */
    signParts: (id, partNumbers, signal) =>
      call(`${upload(id)}/parts`, {
        method: "POST",
        body: { part_numbers: partNumbers },
        signal,
      }),

    /**
     * @param {string} id
     * @param {AbortSignal} [signal]
     * @returns {Promise<StoredParts>}
     */
    listParts: (id, signal) => call(`${upload(id)}/parts`, { signal }),

    /**
     * @param {string} id
     * @param {StoredPart[]} parts
     * @param {AbortSignal} [signal]
     * @returns {Promise<Video>}
     */
    completeUpload: (id, parts, signal) =>
      call(`${upload(id)}/complete`, {
        method: "POST",
        body: { parts },
        signal,
      }),

    /**
     * @param {string} id
     * @returns {Promise<null>}
     */
    abortUpload: (id) => call(upload(id), { method: "DELETE" }),

    /**
     * @param {string} id
     * @returns {Promise<Progress>}
     */
    deleteVideo: (id) =>
      call(`/videos/${encodeURIComponent(id)}`, { method: "DELETE" }),

    /**
     * @param {string} id
     * @returns {Promise<Progress>}
     */
    cancelVideo: (id) =>
      call(`/videos/${encodeURIComponent(id)}/cancel`, { method: "POST" }),

    /**
     * @param {string} id
     * @returns {Promise<Progress>}
     */
    retryVideo: (id) =>
      call(`/videos/${encodeURIComponent(id)}/retry`, { method: "POST" }),

    /**
     * @param {Range} range
     * @param {AbortSignal} [signal]
     * @returns {Promise<Stats>}
     */
    stats: (range, signal) => call(`/stats${suffix({ range })}`, { signal }),

    /**
     * @param {AbortSignal} [signal]
     * @returns {Promise<Workers>}
     */
    workers: (signal) => call("/workers", { signal }),

    /**
     * @param {string} id
     * @param {AbortSignal} [signal]
     * @returns {Promise<Trace>}
     */
    trace: (id, signal) =>
      call(`/videos/${encodeURIComponent(id)}/trace`, { signal }),

    /**
     * @param {string} id
     * @returns {Promise<unknown>} the trace as OTLP in JSON, for other tools
     */
    traceForTools: (id) =>
      call(`/videos/${encodeURIComponent(id)}/trace?format=otlp`),

    /**
     * @param {{ queue?: string, video_id?: string, cursor?: string | null, limit?: number }} query
     * @param {AbortSignal} [signal]
     * @returns {Promise<LetterPage>}
     */
    deadLetters: (query, signal) =>
      call(`/dead-letters${suffix(query)}`, { signal }),

    /**
     * @param {RedriveWish} wish
     * @returns {Promise<Redriven>}
     */
    redrive: (wish) =>
      call("/dead-letters/redrive", { method: "POST", body: wish }),
  };
}

/**
 * Reads config.json beside the page: the deploy writes the addresses there.
 * @param {"apiUrl" | "signalUrl"} name
 * @param {{ fetch?: typeof globalThis.fetch, base?: string }} [options]
 * @returns {Promise<string>}
 */
async function addressOf(
  name,
  { fetch = globalThis.fetch.bind(globalThis), base = document.baseURI } = {},
) {
  const response = await fetch(new URL("config.json", base), {
    cache: "no-cache",
  }).catch(() => null);
  const config = response?.ok ? await response.json().catch(() => null) : null;
  if (typeof config?.[name] !== "string")
    throw new ApiError(
      response?.status ?? 0,
      "config",
      "This site does not know its API: config.json is missing or not readable.",
    );
  return new URL(config[name], base).href;
}

/**
 * @param {{ token: () => string | null, fetch?: typeof globalThis.fetch, base?: string }} options
 * @returns {Promise<Api>}
 */
export async function connect({
  token,
  fetch = globalThis.fetch.bind(globalThis),
  base = document.baseURI,
}) {
  const baseUrl = await addressOf("apiUrl", { fetch, base });
  return createApi({ baseUrl, token, fetch });
}

/**
 * Where the WebSocket of calls is.
 * @param {{ fetch?: typeof globalThis.fetch, base?: string }} [options]
 */
export const signalUrl = (options) => addressOf("signalUrl", options);
