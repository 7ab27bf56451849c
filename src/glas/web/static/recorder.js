// The microphone: from permission to a file, with its loudness on the way.

// What browsers can record, best first: Opus where there is a choice, AAC in Safari.
const KINDS = [
  ['audio/webm;codecs=opus', 'webm'],
  ['audio/ogg;codecs=opus', 'ogg'],
  ['audio/mp4', 'm4a'],
];
const BITS_PER_SECOND = 48_000; // speech in Opus is transparent well below that

// Loudness that the meter shows as silence and as full, in decibels below full scale.
const QUIET_DB = -55;
const LOUD_DB = -12;

/** Why this page cannot record, as the key of a text; null if it can. */
export function whyNot() {
  if (!window.isSecureContext) return 'insecure';
  if (!navigator.mediaDevices?.getUserMedia || !window.MediaRecorder) return 'noRecorder';
  return null;
}

/** Why the microphone was not given, as the key of a text. */
export function whyRefused(error) {
  if (error.name === 'NotAllowedError' || error.name === 'SecurityError') return 'microphoneDenied';
  if (error.name === 'NotFoundError' || error.name === 'OverconstrainedError') return 'microphoneMissing';
  return 'microphoneBusy';
}

/** What a stream gives from now on, as one file. */
export class Recorder {
  #recorder;
  #chunks = [];
  #extension;

  constructor(stream) {
    const [type, extension] = KINDS.find(([kind]) => MediaRecorder.isTypeSupported(kind)) ?? ['', 'webm'];
    this.#extension = extension;
    this.#recorder = new MediaRecorder(stream, {
      audioBitsPerSecond: BITS_PER_SECOND,
      ...(type && { mimeType: type }),
    });
    this.#recorder.addEventListener('dataavailable', ({ data }) => this.#chunks.push(data));
    this.#recorder.start();
  }

  /** Stop and give the file. */
  async finish(name) {
    const { mimeType } = this.#recorder;
    if (this.#recorder.state !== 'inactive') {
      const stopped = new Promise((resolve) => this.#recorder.addEventListener('stop', resolve, { once: true }));
      this.#recorder.stop();
      await stopped;
    }
    return new File(this.#chunks, `${name}.${this.#extension}`, { type: mimeType.split(';')[0] });
  }
}

export class Recording {
  stream;
  #recorder;
  #meter;
  #began;

  /** Ask for the microphone and begin; `onLevel(0..1)` is called with every picture drawn. */
  static async begin(onLevel) {
    const stream = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1 } });
    return new Recording(stream, onLevel);
  }

  constructor(stream, onLevel) {
    this.stream = stream;
    this.#recorder = new Recorder(stream);
    this.#began = performance.now();
    this.#meter = new Meter(stream, onLevel);
  }

  get seconds() {
    return (performance.now() - this.#began) / 1000;
  }

  /** Stop and give what was recorded. */
  async finish(name) {
    this.#meter.close();
    const file = await this.#recorder.finish(name);
    // Only this puts out the browser's recording light.
    for (const track of this.stream.getTracks()) track.stop();
    return file;
  }

  /** Stop and forget. */
  async discard() {
    await this.finish('');
  }
}

class Meter {
  #context = new AudioContext();
  #analyser;
  #samples;
  #frame = 0;

  constructor(stream, onLevel) {
    this.#analyser = this.#context.createAnalyser();
    this.#analyser.fftSize = 1024;
    this.#samples = new Float32Array(this.#analyser.fftSize);
    this.#context.createMediaStreamSource(stream).connect(this.#analyser);
    const measure = () => {
      onLevel(this.#level());
      this.#frame = requestAnimationFrame(measure);
    };
    measure();
  }

  #level() {
    this.#analyser.getFloatTimeDomainData(this.#samples);
    const power = this.#samples.reduce((sum, sample) => sum + sample * sample, 0) / this.#samples.length;
    const decibels = 10 * Math.log10(power + 1e-10);
    return Math.min(Math.max((decibels - QUIET_DB) / (LOUD_DB - QUIET_DB), 0), 1);
  }

  close() {
    cancelAnimationFrame(this.#frame);
    this.#context.close();
  }
}
