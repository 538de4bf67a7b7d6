// The pages' Content-Security-Policy forbids strings where a script's address goes. hls.js gives
// `new Worker` a string: this default policy lets that one file through and nothing else.

/**
 * @typedef {object} TrustedTypes
 * @property {unknown} [defaultPolicy]
 * @property {(name: string, rules: { createScriptURL: (url: string) => string }) => unknown} createPolicy
 */

/** @param {string} workerUrl absolute */
export function allowWorker(workerUrl) {
  const trustedTypes = /** @type {{ trustedTypes?: TrustedTypes }} */ (
    /** @type {unknown} */ (globalThis)
  ).trustedTypes;
  if (!trustedTypes || trustedTypes.defaultPolicy) return;
  trustedTypes.createPolicy("default", {
    createScriptURL(url) {
      if (new URL(url, document.baseURI).href === workerUrl) return url;
      throw new TypeError(`No script may be loaded from ${url}`);
    },
  });
}
