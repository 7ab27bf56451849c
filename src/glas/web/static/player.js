// Plays one recording. One plays at a time.

let playing = null;

export class Player {
  element = document.createElement('audio');
  #address;
  #watch;
  #frame = 0;
  #broken = false;

  /**
   * @param {File} file
   * @param {{onMove: (seconds: number) => void, onState: (playing: boolean) => void, onBroken: () => void,
   *          onDuration: (seconds: number) => void}} watch
   */
  constructor(file, watch) {
    this.#watch = watch;
    this.#address = URL.createObjectURL(file);
    const audio = this.element;
    audio.preload = 'metadata';
    audio.addEventListener('loadedmetadata', () => this.#learnDuration());
    audio.addEventListener('play', () => this.#began());
    audio.addEventListener('pause', () => this.#stopped());
    audio.addEventListener('seeked', () => this.#moved());
    audio.addEventListener('error', () => this.#fail());
    audio.src = this.#address;
  }

  get broken() {
    return this.#broken;
  }

  async toggle() {
    if (this.element.paused) await this.playFrom(this.element.ended ? 0 : this.element.currentTime);
    else this.element.pause();
  }

  async playFrom(seconds) {
    if (this.#broken) return;
    this.element.currentTime = seconds;
    try {
      await this.element.play();
    } catch (error) {
      // Paused again before it began, or a format that cannot be played; `error` events tell the latter.
      if (error.name === 'NotSupportedError') this.#fail();
    }
  }

  close() {
    this.element.pause();
    this.element.removeAttribute('src');
    this.element.load(); // lets the decoder go at once; browsers have few of them on a phone
    URL.revokeObjectURL(this.#address);
  }

  // What MediaRecorder writes does not say how long it is; the browser finds out by looking for the end.
  #learnDuration() {
    const audio = this.element;
    if (Number.isFinite(audio.duration)) {
      this.#watch.onDuration(audio.duration);
      return;
    }
    const found = () => {
      if (!Number.isFinite(audio.duration)) return;
      audio.removeEventListener('durationchange', found);
      audio.currentTime = 0;
      this.#watch.onDuration(audio.duration);
    };
    audio.addEventListener('durationchange', found);
    audio.currentTime = 1e7;
  }

  #began() {
    if (playing && playing !== this) playing.element.pause();
    playing = this;
    this.#watch.onState(true);
    const follow = () => {
      this.#moved();
      this.#frame = requestAnimationFrame(follow);
    };
    cancelAnimationFrame(this.#frame);
    follow();
  }

  #stopped() {
    cancelAnimationFrame(this.#frame);
    this.#moved();
    this.#watch.onState(false);
  }

  #moved() {
    if (this.element.currentTime < 1e6) this.#watch.onMove(this.element.currentTime);
  }

  #fail() {
    this.#broken = true;
    this.#watch.onBroken();
  }
}
