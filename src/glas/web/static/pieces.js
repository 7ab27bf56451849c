// Pieces of what is being spoken, cut at pauses, each as a file of its own.

import { Recorder } from './recorder.js';

// A pause as long as this ends a piece; in a long piece a shorter one does, and none is longer than the longest.
const PAUSE_MS = 500;
const SHORT_PAUSE_MS = 150;
const LONG_MS = 5_000;
const LONGEST_MS = 10_000;
// What nobody has spoken in for so long is dropped.
const SILENCE_MS = 3_000;
// Levels of the meter, 0..1: below the first nobody speaks, nor below this share of the loudest one of a piece.
const LEAST = 0.2;
const SHARE = 0.5;

export class Pieces {
  #stream;
  #onPiece;
  #recorder = null;
  #began;
  #spokenAt;
  #loudest;

  /**
   * @param {MediaStream} stream
   * @param {(file: File) => void} onPiece  called with every piece, in their order
   */
  constructor(stream, onPiece) {
    this.#stream = stream;
    this.#onPiece = onPiece;
    this.#begin();
  }

  #begin() {
    this.#recorder = new Recorder(this.#stream);
    this.#began = performance.now();
    this.#spokenAt = null;
    this.#loudest = 0;
  }

  /** Take in how loud it is now, 0..1; here a piece ends if there is a pause. */
  hear(level) {
    const now = performance.now();
    this.#loudest = Math.max(this.#loudest, level);
    if (level >= Math.max(LEAST, SHARE * this.#loudest)) this.#spokenAt = now;
    if (this.#isOver(now)) this.#cut();
  }

  #isOver(now) {
    const length = now - this.#began;
    if (this.#spokenAt === null) return length >= SILENCE_MS;
    return length >= LONGEST_MS || now - this.#spokenAt >= (length < LONG_MS ? PAUSE_MS : SHORT_PAUSE_MS);
  }

  async #cut() {
    const [recorder, isSpoken] = [this.#recorder, this.#spokenAt !== null];
    this.#begin();
    const file = await recorder.finish('piece');
    if (isSpoken) this.#onPiece(file);
  }

  /** Stop; the piece that has not ended is forgotten. */
  close() {
    this.#recorder.finish('');
  }
}
