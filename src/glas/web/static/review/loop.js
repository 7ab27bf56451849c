// The part of a recording that is played again and again: drawn over the picture, chosen by dragging.

const CLICK = 4; // pixels that a click may move
const LEAST_S = 0.15;

export class Loop {
  #area;
  #mark;
  #onSeek;
  #onChange;
  #duration = 0;
  #from = 0; // seconds at which a finger or the mouse went down
  #downX = null;
  span = null; // {start, end}, seconds
  isOn = false;

  /**
   * @param {HTMLElement} area  lies over the picture
   * @param {HTMLElement} mark  shows the span in it
   * @param {{onSeek: (seconds: number) => void, onChange: () => void}} watch
   */
  constructor(area, mark, { onSeek, onChange }) {
    this.#area = area;
    this.#mark = mark;
    this.#onSeek = onSeek;
    this.#onChange = onChange;
    area.addEventListener('pointerdown', (event) => this.#down(event));
    area.addEventListener('pointermove', (event) => this.#move(event));
    area.addEventListener('pointerup', (event) => this.#up(event));
    area.addEventListener('pointercancel', () => {
      this.#downX = null;
    });
  }

  /** Begin with another recording. */
  reset(duration) {
    this.#duration = duration;
    this.set(null, false);
  }

  set(span, isOn) {
    this.span = span;
    this.isOn = isOn;
    this.#mark.hidden = span === null;
    if (span) {
      this.#mark.style.left = `${(span.start / this.#duration) * 100}%`;
      this.#mark.style.width = `${((span.end - span.start) / this.#duration) * 100}%`;
    }
    this.#onChange();
  }

  /** Where to go on from a position; null: no jump. */
  after(seconds) {
    return this.isOn && this.span && seconds >= this.span.end ? this.span.start : null;
  }

  #seconds({ clientX }) {
    const { left, width } = this.#area.getBoundingClientRect();
    return Math.min(Math.max((clientX - left) / width, 0), 1) * this.#duration;
  }

  #down(event) {
    if (event.button !== 0 || !this.#duration) return;
    this.#downX = event.clientX;
    this.#from = this.#seconds(event);
    this.#area.setPointerCapture(event.pointerId);
  }

  #move(event) {
    if (this.#downX === null || Math.abs(event.clientX - this.#downX) < CLICK) return;
    const to = this.#seconds(event);
    this.set({ start: Math.min(this.#from, to), end: Math.max(this.#from, to) }, this.isOn);
  }

  #up(event) {
    if (this.#downX === null) return;
    const isClick = Math.abs(event.clientX - this.#downX) < CLICK;
    this.#downX = null;
    if (isClick) {
      this.set(null, false);
      this.#onSeek(this.#from);
    } else if (this.span && this.span.end - this.span.start >= LEAST_S) {
      this.set(this.span, true);
      this.#onSeek(this.span.start);
    } else {
      this.set(null, false);
    }
  }
}
