// Sends bytes to storage. XMLHttpRequest, because `fetch` does not tell how much has been sent.

/** Storage did not take the bytes. */
export class TransferError extends Error {
  /**
   * @param {number} status HTTP status; 0 when no answer came
   * @param {string} code S3's error code, e.g. "EntityTooLarge"; "" when it named none
   */
  constructor(status, code) {
    super(
      status === 0
        ? "The connection to storage broke."
        : `Storage answered ${status}${code ? ` (${code})` : ""}.`,
    );
    this.name = "TransferError";
    this.status = status;
    this.code = code;
  }

  /** Storage answers 403 to a presigned URL whose minutes are over. */
  get refused() {
    return this.status === 403;
  }

  get temporary() {
    return (
      this.status === 0 ||
      this.status === 408 ||
      this.status === 429 ||
      this.status >= 500 ||
      this.code === "RequestTimeout"
    );
  }
}

/** @param {string} xml */
const codeIn = (xml) => /<Code>([^<]*)<\/Code>/.exec(xml)?.[1] ?? "";

/**
 * @param {object} request
 * @param {"PUT" | "POST"} request.method
 * @param {string} request.url
 * @param {XMLHttpRequestBodyInit} request.body
 * @param {AbortSignal} request.signal
 * @param {(sentBytes: number) => void} request.onProgress
 * @returns {Promise<{ etag: string | null }>} null when the storage does not let us read it
 */
export function send({ method, url, body, signal, onProgress }) {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    const request = new XMLHttpRequest();
    const abort = () => request.abort();
    signal.addEventListener("abort", abort, { once: true });
    request.open(method, url);
    request.upload.onprogress = ({ loaded }) => onProgress(loaded);
    request.onload = () => {
      if (request.status >= 200 && request.status < 300)
        resolve({ etag: request.getResponseHeader("etag") });
      else
        reject(new TransferError(request.status, codeIn(request.responseText)));
    };
    request.onerror = () => reject(new TransferError(0, ""));
    request.onabort = () => reject(signal.reason);
    request.onloadend = () => signal.removeEventListener("abort", abort);
    request.send(body);
  });
}

/**
 * The form of a presigned POST. S3 ignores every field that comes after the file.
 * @param {Record<string, string>} fields
 * @param {Blob} file
 */
export function postForm(fields, file) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  form.append("file", file);
  return form;
}
