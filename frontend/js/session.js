// The access token of this tab. It lives in sessionStorage, never in a URL that stays.

const KEY = "millrace.token";
const TOKEN = /^mr_[\w-]{8,}$/;

/** @typedef {ReturnType<typeof createSession>} Session */

/**
 * @param {object} options
 * @param {Storage} options.storage
 * @param {Location} options.location
 * @param {History} options.history
 */
export function createSession({ storage, location, history }) {
  takeFromFragment();

  /** `#token=…` is how the command line hands over a fresh token: keep it, wipe the address bar. */
  function takeFromFragment() {
    const fragment = new URLSearchParams(location.hash.slice(1));
    const given = fragment.get("token");
    if (given === null) return;
    fragment.delete("token");
    const rest = fragment.toString();
    history.replaceState(
      history.state,
      "",
      location.pathname + location.search + (rest ? `#${rest}` : ""),
    );
    if (TOKEN.test(given)) storage.setItem(KEY, given);
  }

  return {
    token: () => storage.getItem(KEY),

    /**
     * @param {string} token
     * @returns {boolean} false if it does not look like a token of ours; nothing is kept then
     */
    keep(token) {
      if (!TOKEN.test(token)) return false;
      storage.setItem(KEY, token);
      return true;
    },

    forget: () => storage.removeItem(KEY),
  };
}
