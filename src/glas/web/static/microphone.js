// The button: hold it and speak, or press, speak and press again. The keyboard toggles.

import { Captions } from './captions.js';
import { name, say, text } from './language.js';
import { Recording, whyNot, whyRefused } from './recorder.js';
import { clockTime } from './time.js';

// A shorter press is a click: recording goes on until the next one.
const HOLD_MS = 400;
const SHORTEST_S = 0.3;

export class Microphone {
  #onFile;
  #button = document.getElementById('microphone');
  #frame = document.getElementById('recorder');
  #level = document.getElementById('level');
  #clock = document.getElementById('clock');
  #hint = document.getElementById('recorder-hint');
  #discard = document.getElementById('discard');
  #captions;

  // 'idle', 'starting', 'recording' or 'stopping'
  #state = 'idle';
  #recording = null;
  #holding = false;
  #pressedAt = 0;
  #ticking = 0;

  /** @param {(file: File) => void} onFile  called with every finished recording */
  constructor(onFile) {
    this.#onFile = onFile;
    const obstacle = whyNot();
    if (obstacle) {
      this.#button.disabled = true;
      this.#frame.classList.add('impossible');
      say(this.#hint, obstacle);
      return;
    }
    this.#captions = new Captions();
    this.#show('idle', 'recordHint');
    this.#listen();
  }

  #listen() {
    const button = this.#button;
    button.addEventListener('pointerdown', (event) => this.#press(event));
    button.addEventListener('pointerup', () => this.#release());
    button.addEventListener('pointercancel', () => this.#release());
    // Only a click that no pointer made: Enter, Space, or an assistive program.
    button.addEventListener('click', (event) => event.detail === 0 && this.#toggle());
    // A long press would open the phone's menu.
    button.addEventListener('contextmenu', (event) => event.preventDefault());
    this.#discard.addEventListener('click', () => this.#cancel());
    document.addEventListener('keydown', (event) => event.key === 'Escape' && this.#cancel());
  }

  #press(event) {
    if (event.button !== 0) return;
    // The finger may slide off the button while it holds.
    this.#button.setPointerCapture(event.pointerId);
    this.#pressedAt = performance.now();
    this.#holding = this.#state === 'idle';
    this.#toggle();
  }

  #release() {
    if (!this.#holding) return;
    this.#holding = false;
    const held = performance.now() - this.#pressedAt >= HOLD_MS;
    // Let go while the browser still asks for permission: what is said afterwards is wanted.
    if (held && this.#state === 'recording') this.#finish();
    else if (this.#state === 'recording') say(this.#hint, 'recordHintToggle');
  }

  #toggle() {
    if (this.#state === 'idle') this.#begin();
    else if (this.#state === 'recording') this.#finish();
  }

  async #begin() {
    this.#show('starting', 'recordStarting');
    try {
      this.#recording = await Recording.begin((level) => this.#hear(level));
    } catch (error) {
      this.#show('idle', whyRefused(error));
      return;
    }
    if (this.#state !== 'starting') {
      // Cancelled while the browser asked for permission.
      await this.#recording.discard();
      return;
    }
    this.#show('recording', this.#holding ? 'recordHintHold' : 'recordHintToggle');
    this.#captions.begin(this.#recording.stream);
    this.#tick();
    this.#ticking = setInterval(() => this.#tick(), 200);
  }

  async #finish() {
    const { seconds } = this.#recording;
    this.#show('stopping', 'recordStarting');
    const time = new Date().toTimeString().slice(0, 8).replaceAll(':', '.');
    const file = await this.#recording.finish(text('recordingName', { time }));
    const empty = seconds < SHORTEST_S || file.size === 0;
    this.#show('idle', empty ? 'tooShort' : 'recordHint');
    if (!empty) this.#onFile(file);
  }

  async #cancel() {
    if (this.#state !== 'recording' && this.#state !== 'starting') return;
    const recording = this.#state === 'recording' ? this.#recording : null;
    this.#holding = false;
    this.#show('idle', 'recordHint');
    await recording?.discard();
  }

  #show(state, hint) {
    this.#state = state;
    const recording = state === 'recording';
    if (!recording) {
      clearInterval(this.#ticking);
      this.#captions.end();
    }
    this.#frame.dataset.state = state;
    this.#clock.hidden = !recording;
    this.#discard.hidden = !recording;
    name(this.#button, recording ? 'stop' : 'record');
    say(this.#hint, hint);
  }

  #hear(level) {
    this.#level.style.setProperty('--level', level.toFixed(3));
    this.#captions.hear(level);
  }

  #tick() {
    this.#clock.textContent = clockTime(this.#recording.seconds);
  }
}
