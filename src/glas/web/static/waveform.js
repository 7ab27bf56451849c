// The picture of a recording: its loudness, what of it is speech, how far recognition and playing have come.

import { name } from './language.js';
import { clockTime } from './time.js';

const BAR = 3; // pixels of a bar with its gap
const LINE = 3; // pixels of the line under a segment
const STEP_S = 2; // what an arrow key moves
const FLAT = 0.3; // height of bars where the loudness is not known
const LEAST = 0.06;

export class Waveform {
  #canvas;
  #onSeek;
  #onToggle;
  #peaks = null;
  #duration = 0;
  #segments = [];
  #heard = null; // seconds recognised so far; null once all is
  #position = 0;

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {{onSeek: (seconds: number) => void, onToggle: () => void}} watch
   */
  constructor(canvas, { onSeek, onToggle }) {
    this.#canvas = canvas;
    this.#onSeek = onSeek;
    this.#onToggle = onToggle;
    name(canvas, 'timeline');
    canvas.tabIndex = 0;
    canvas.setAttribute('role', 'slider');
    canvas.addEventListener('pointerdown', (event) => this.#point(event));
    canvas.addEventListener('keydown', (event) => this.#key(event));
    new ResizeObserver(() => this.draw()).observe(canvas);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.draw());
  }

  get duration() {
    return this.#duration;
  }

  set({ peaks = this.#peaks, duration = this.#duration, segments = this.#segments, heard = this.#heard }) {
    this.#peaks = peaks;
    this.#duration = duration;
    this.#segments = segments;
    this.#heard = heard;
    this.#canvas.setAttribute('aria-valuemin', '0');
    this.#canvas.setAttribute('aria-valuemax', duration.toFixed(1));
    this.moveTo(this.#position);
  }

  moveTo(seconds) {
    this.#position = Math.min(seconds, this.#duration || seconds);
    this.#canvas.setAttribute('aria-valuenow', this.#position.toFixed(1));
    this.#canvas.setAttribute('aria-valuetext', clockTime(this.#position));
    this.draw();
  }

  #point(event) {
    if (event.button !== 0 || !this.#duration) return;
    const { left, width } = this.#canvas.getBoundingClientRect();
    this.#onSeek(((event.clientX - left) / width) * this.#duration);
  }

  #key(event) {
    const jump = {
      ArrowLeft: () => this.#position - STEP_S,
      ArrowDown: () => this.#position - STEP_S,
      ArrowRight: () => this.#position + STEP_S,
      ArrowUp: () => this.#position + STEP_S,
      Home: () => 0,
      End: () => this.#duration,
      PageUp: () => this.#segments.findLast(({ start }) => start < this.#position - 0.5)?.start ?? 0,
      PageDown: () => this.#segments.find(({ start }) => start > this.#position + 0.05)?.start ?? this.#duration,
    }[event.key];
    if (jump) this.#onSeek(Math.min(Math.max(jump(), 0), this.#duration));
    else if (event.key === ' ' || event.key === 'Enter') this.#onToggle();
    else return;
    event.preventDefault();
  }

  draw() {
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    if (!width) return;
    const scale = window.devicePixelRatio || 1;
    this.#canvas.width = Math.round(width * scale);
    this.#canvas.height = Math.round(height * scale);
    const brush = this.#canvas.getContext('2d');
    brush.scale(scale, scale);
    const style = getComputedStyle(this.#canvas);
    const colour = (part) => style.getPropertyValue(`--wave-${part}`).trim();
    this.#drawBars(brush, width, height - LINE - 5, colour);
    this.#drawSegments(brush, width, height - LINE, colour);
  }

  #drawBars(brush, width, height, colour) {
    const count = Math.floor(width / BAR);
    const played = this.#duration ? (this.#position / this.#duration) * count : 0;
    let segment = 0;
    for (let bar = 0; bar < count; bar += 1) {
      const seconds = ((bar + 0.5) / count) * this.#duration;
      while (segment < this.#segments.length && this.#segments[segment].end < seconds) segment += 1;
      const speech = this.#isSpeech(seconds, this.#segments[segment]);
      brush.fillStyle = colour(bar < played ? 'played' : speech ? 'speech' : 'rest');
      const tall = Math.max(this.#loudness(bar / count, (bar + 1) / count, speech), LEAST) * height;
      brush.beginPath();
      brush.roundRect(bar * BAR, (height - tall) / 2, BAR - 1, tall, 1);
      brush.fill();
    }
  }

  #isSpeech(seconds, segment) {
    if (this.#heard !== null) return seconds < this.#heard;
    return segment !== undefined && segment.start <= seconds;
  }

  #loudness(from, to, speech) {
    if (!this.#peaks) return speech ? FLAT : LEAST;
    const { length } = this.#peaks;
    const part = this.#peaks.subarray(Math.floor(from * length), Math.max(Math.ceil(to * length), 1));
    return Math.max(...part);
  }

  #drawSegments(brush, width, top, colour) {
    if (!this.#duration) return;
    for (const { start, end, unsure } of this.#segments) {
      const left = (start / this.#duration) * width;
      const right = (Math.min(end, this.#duration) / this.#duration) * width;
      const playing = start <= this.#position && this.#position < end && this.#position > 0;
      brush.fillStyle = colour(playing ? 'played' : unsure ? 'unsure' : 'segment');
      brush.beginPath();
      brush.roundRect(left, top, Math.max(right - left - 2, 2), LINE, LINE / 2);
      brush.fill();
    }
  }
}
