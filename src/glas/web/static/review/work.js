// The messages that are held for the reviewer: the one that is heard, and the next one, loaded and decoded meanwhile.

import { ask, askJson } from '../pages/ask.js';
import { peaksOf } from '../peaks.js';

const LOAD_AGAIN_MS = 2_000;

const later = (wait) => new Promise((done) => setTimeout(done, wait));

/** Midnight of the reviewer's day. */
function today() {
  const moment = new Date();
  moment.setHours(0, 0, 0, 0);
  return moment.toISOString();
}

/** A message with its sound. `sound` is a promise of `{file, peaks, duration}`; null if it cannot be loaded. */
export class Item {
  constructor({ id, text, duration_s: duration, words, spans, second }) {
    Object.assign(this, { id, text, duration, words, spans, second });
    this.written = text; // what stands in the field
    this.sound = this.#load().then((sound) => sound ?? later(LOAD_AGAIN_MS).then(() => this.#load()));
  }

  get isChanged() {
    return this.written.trim() !== this.text.trim();
  }

  async #load() {
    try {
      const file = await (await ask(`/review/items/${this.id}/audio`)).blob();
      const heard = await peaksOf(file);
      return { file, peaks: heard?.peaks ?? null, duration: heard?.duration ?? this.duration };
    } catch {
      return null;
    }
  }
}

export class Work {
  items = []; // the first one is heard
  #answering = Promise.resolve();
  #answered = new Set(); // what was answered while the server was asked
  #onFigures;

  /** @param {(figures: {today: string, agreement: string, coins: string}) => void} onFigures */
  constructor(onFigures) {
    this.#onFigures = onFigures;
  }

  get current() {
    return this.items[0] ?? null;
  }

  /** Hold what is missing, and hold longer what is there; answers that are on their way come first. */
  async refill() {
    for (let last = null; last !== this.#answering; ) {
      last = this.#answering;
      await last.catch(() => {});
    }
    const known = this.items.map(({ id }) => id);
    const { items, figures } = await askJson('/review/items', { method: 'POST', body: { known, since: today() } });
    for (const found of items) {
      if (typeof found !== 'object' || this.#answered.has(found.id)) continue;
      if (!this.items.some(({ id }) => id === found.id)) this.items.push(new Item(found));
    }
    this.#onFigures(figures);
  }

  /** Send an answer, after those before it; the next message is the current one at once. */
  answer(item, verdict, reference) {
    this.items = this.items.filter((one) => one !== item);
    this.#answered.add(item.id);
    const body = reference === undefined ? { verdict } : { verdict, reference };
    const send = () => askJson(`/review/items/${item.id}`, { method: 'PUT', body });
    const sent = this.#answering.catch(() => {}).then(send);
    this.#answering = sent;
    return sent;
  }

  /** Put a message before all others. */
  putBack(item) {
    this.#answered.delete(item.id);
    this.items = [item, ...this.items.filter(({ id }) => id !== item.id)];
  }

  /** Take an answer back; its message is the current one then. */
  async takeBack(item) {
    await this.#answering.catch(() => {});
    const found = await askJson(`/review/items/${item.id}`, { method: 'DELETE' });
    if (found.is_kept === false) return found.said;
    this.putBack(item);
    return null;
  }
}
