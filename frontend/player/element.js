// <millrace-player src="…">: the player as a custom element. It lives in the page's own tree, not in
// a shadow, so that one style sheet is enough and a strict Content-Security-Policy holds.
import { createPlayer } from "./player.js";

/** @import { Player } from "./player.js" */

/** @param {string | null} text */
function seconds(text) {
  const value = Number.parseFloat(text ?? "");
  return Number.isFinite(value) && value >= 0 ? value : undefined;
}

export class MillracePlayer extends HTMLElement {
  static observedAttributes = ["src", "storyboard"];
  /** @type {Player | null} */
  #player = null;

  /** @returns {Player | null} null while the element is not in a page or has no `src` */
  get player() {
    return this.#player;
  }

  connectedCallback() {
    this.#start();
  }

  disconnectedCallback() {
    this.#stop();
  }

  /**
   * @param {string} name
   * @param {string | null} before
   * @param {string | null} after
   */
  attributeChangedCallback(name, before, after) {
    if (!this.isConnected || before === after) return;
    if (name === "storyboard") {
      this.#player?.setStoryboard(after);
      return;
    }
    this.#stop();
    this.#start();
  }

  #stop() {
    this.#player?.destroy();
    this.#player = null;
  }

  #start() {
    const src = this.getAttribute("src");
    if (!src || this.#player) return;
    this.#player = createPlayer({
      src,
      title: this.getAttribute("label") ?? "Video",
      poster: this.getAttribute("poster"),
      storyboard: this.getAttribute("storyboard"),
      duration_s: seconds(this.getAttribute("duration")) ?? null,
      start_s: seconds(this.getAttribute("start")),
      resumeKey: this.getAttribute("resume-key") ?? undefined,
      autoplay: this.hasAttribute("autoplay"),
      muted: this.hasAttribute("muted"),
      keyTarget: this.getAttribute("keys") === "document" ? document : this,
    });
    this.append(this.#player.element);
  }
}

customElements.define("millrace-player", MillracePlayer);
