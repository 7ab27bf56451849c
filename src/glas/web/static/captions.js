// The text so far, while somebody speaks: each piece is recognised once, and only while nobody waits for a text.

import { ApiError, textWhenIdle } from './api.js';
import { element } from './dom.js';
import { name } from './language.js';
import { Pieces } from './pieces.js';

const KEY = 'glas-captions';
const OFF = 'off';
const RETRY_MS = 2_000;
const BUSY = 503;

export class Captions {
  #log = document.getElementById('captions');
  #wanted = document.getElementById('captions-wanted');
  #pieces = null;
  #abort = null;
  #written = Promise.resolve(); // when all pieces so far are

  constructor() {
    name(this.#log, 'captions');
    this.#wanted.checked = remembered() !== OFF;
    this.#wanted.addEventListener('change', () => remember(this.#wanted.checked ? '' : OFF));
    document.getElementById('captions-choice').hidden = false;
  }

  /** Begin with a stream from the microphone, if captions are wanted and the browser can record twice at once. */
  begin(stream) {
    if (!this.#wanted.checked) return;
    this.#abort = new AbortController();
    const { signal } = this.#abort;
    try {
      this.#pieces = new Pieces(stream, (file) => {
        this.#written = this.#written.then(() => this.#write(file, signal));
      });
    } catch (error) {
      console.info('no captions in this browser:', error.message);
      return;
    }
    this.#log.replaceChildren();
    this.#log.hidden = false;
  }

  /** Take in how loud it is now, 0..1. */
  hear(level) {
    this.#pieces?.hear(level);
  }

  end() {
    this.#abort?.abort();
    this.#pieces?.close();
    this.#pieces = null;
    this.#log.hidden = true;
  }

  /** Write the text of a piece. A server that has other work is asked again, until the recording has ended. */
  async #write(file, signal) {
    while (!signal.aborted) {
      try {
        const text = await textWhenIdle(file, signal);
        if (signal.aborted || !text) return;
        this.#log.append(element('span', {}, text), ' ');
        this.#log.scrollTop = this.#log.scrollHeight;
        return;
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof ApiError)) console.error(error);
        // Nothing is told: the recording will be recognised as a whole, and says what is wrong.
        if (error.status !== BUSY) return;
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }
}

function remembered() {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null; // storage may be forbidden
  }
}

function remember(choice) {
  try {
    localStorage.setItem(KEY, choice);
  } catch {
    // the choice then lasts as long as the page
  }
}
