// One recording and what became of it.

import { ApiError, recognise } from './api.js';
import { closing, countDown, foreign, silence, spoken, told, toolbar } from './card-parts.js';
import { Comparison } from './comparison.js';
import { element, icon } from './dom.js';
import { explain } from './failures.js';
import { askForKey } from './key.js';
import { name, say } from './language.js';
import { peaksOf } from './peaks.js';
import { Player } from './player.js';
import { inTurn } from './queue.js';
import { clockTime } from './time.js';
import { SURE, TranscriptView, inParagraphs, legend, segmentOf, transcriptOf } from './transcript.js';
import { Waveform } from './waveform.js';
import { corrected } from './correction.js';

export class Card {
  #file;
  #reference;
  #abort = new AbortController();
  #player;
  #wave;
  #view;
  #transcript = null;
  #status = element('p.status', { role: 'status' });
  #clock = element('span.time', {}, '0:00');
  #toggle;
  #body = element('div.body');
  #result = null;
  #comparison = null;
  #share = 0;
  id = `${Date.now()}-${Math.random()}`;
  order = null; // when it was chosen, and its place among those chosen together
  isKept = false;

  /**
   * @param {File} file
   * @param {string | null} reference  what is said in it, where that is known
   */
  constructor(file, reference = null) {
    this.#file = file;
    this.#reference = reference;
    const canvas = element('canvas.wave');
    this.#toggle = name(element('button.play', { type: 'button' }, icon('play')), 'play');
    this.#toggle.addEventListener('click', () => this.#player.toggle());
    this.#view = new TranscriptView((seconds) => this.#player.playFrom(seconds));
    this.#player = new Player(file, {
      onMove: (seconds) => this.#move(seconds),
      onState: (playing) => this.#showPlaying(playing),
      onBroken: () => this.#showBroken(),
      onDuration: (duration) => this.#wave.duration || this.#setDuration(duration),
    });
    this.#wave = new Waveform(canvas, {
      onSeek: (seconds) => this.#player.playFrom(seconds),
      onToggle: () => this.#player.toggle(),
    });
    this.element = element(
      'article.card',
      { aria: { label: file.name } },
      closing(file.name, () => this.#leave()),
      element('div.player', {}, this.#toggle, canvas, this.#clock, this.#player.element),
      this.#body,
    );
    this.#showWaveform();
  }

  /** A card of what was kept. */
  static of({ id, order, name: fileName, file, reference, result, transcript }) {
    const card = new Card(file ?? new File([], fileName), reference);
    Object.assign(card, { id, order, isKept: true });
    card.#transcript = transcript;
    card.#end(result);
    return card;
  }

  /** What is kept of it. */
  get record() {
    const { id, order, name: fileName } = this;
    const file = this.#file.size ? this.#file : null;
    return { id, order, name: fileName, file, reference: this.#reference, result: this.#result, transcript: this.#transcript };
  }

  /** Recognise, until it works or it makes no sense to go on. */
  async run() {
    for (;;) {
      try {
        await this.#attempt();
        return;
      } catch (error) {
        if (this.#abort.signal.aborted) return;
        if (!(error instanceof ApiError)) console.error(error);
        const told = error instanceof ApiError ? error : new ApiError({ status: 500, message: String(error) });
        if (!(await this.#recover(explain(told), told))) return;
      }
    }
  }

  async #attempt() {
    this.#working('waiting');
    const { signal } = this.#abort;
    const began = { segments: [] };
    const result = await inTurn(() => {
      this.#working('uploading', { percent: 0 });
      this.#share = 0;
      return recognise(this.#file, {
        signal,
        onUpload: (share) =>
          share < 1 ? this.#working('uploading', { percent: Math.floor(share * 100) }) : this.#working('recognising'),
        onDelta: (event) => this.#hear(event, began.segments),
      });
    }, signal);
    this.#show(result);
  }

  // -- while it works ------------------------------------------------------------------------------------------

  #working(key, values) {
    this.element.dataset.state = key;
    this.element.ariaBusy = 'true';
    say(this.#status, key, values);
    document.dispatchEvent(new Event('cardprogress'));
    if (this.#status.isConnected) return;
    this.#view.clear();
    this.#wave.set({ heard: 0, segments: [] });
    this.#body.replaceChildren(this.#view.element, this.#status);
  }

  #hear(event, segments) {
    const heard = event.segments ?? (event.segment ? [event.segment] : []);
    for (const segment of heard.map(segmentOf)) {
      segments.push(segment);
      this.#view.add(segment);
    }
    const seconds = event.progress_seconds ?? 0;
    this.#wave.set({ heard: seconds });
    this.#share = this.#wave.duration ? Math.min(seconds / this.#wave.duration, 1) : 0;
    document.dispatchEvent(new Event('cardprogress'));
  }

  // -- when it worked ------------------------------------------------------------------------------------------

  #show(result) {
    this.#transcript = transcriptOf(result);
    this.#end(result);
    this.#tell();
  }

  #end(result) {
    this.#result = result;
    this.#comparison = new Comparison(this.#file, result, this.#view);
    this.#setDuration(result.duration);
    this.element.dataset.state = 'done';
    this.element.ariaBusy = 'false';
    this.#redraw(result);
  }

  /** Tell the page that the text is another one, or that there is no card any more. */
  #tell() {
    document.dispatchEvent(new CustomEvent('cardchange', { detail: this }));
  }

  #redraw(result) {
    const { segments, text } = this.#transcript;
    const marks = segments.map(({ start, end, unsure, words }) => ({
      start,
      end,
      unsure: unsure || (words.length > 0 && words.every((word) => word.confidence !== null && word.confidence < SURE)),
    }));
    this.#wave.set({ segments: marks, heard: null });
    const legends = this.#view.show(this.#transcript).map(legend);
    const tools = toolbar({
      file: this.#file,
      result,
      transcript: () => this.#transcript,
      onEdit: (written) => {
        this.#transcript = corrected(this.#transcript, written);
        this.#redraw(result);
        this.#tell();
      },
      view: this.#view.element,
      choice: this.#comparison.choice,
    });
    this.#comparison.show();
    const truth = this.#reference ? spoken(this.#reference) : null;
    const warning = text && result.warning ? foreign(result.warning) : null;
    const shown = [text ? this.#comparison.element : silence(), warning, truth, ...legends, tools];
    this.#body.replaceChildren(...shown.filter(Boolean));
    if (this.#player.broken) this.#showBroken();
  }

  // -- when it did not -----------------------------------------------------------------------------------------

  /** Show what is wrong; true once it should be tried again. */
  #recover(failure, error) {
    this.element.dataset.state = 'failed';
    this.element.ariaBusy = 'false';
    this.#wave.set({ segments: [], heard: null });
    document.dispatchEvent(new Event('cardprogress'));
    if (failure.asksForKey) askForKey().then((given) => given && again.click());
    const again = element('button.main', { type: 'button' });
    say(again, failure.asksForKey ? 'enterKey' : 'retry');
    const count = element('span.hint');
    this.#body.replaceChildren(
      element(
        'div.failure',
        { role: 'alert' },
        say(element('h3'), failure.title),
        failure.limit ? say(element('p'), failure.limit.key, failure.limit.values) : null,
        say(element('p'), failure.advice),
        error.message ? told(error.message, failure.vague) : null,
      ),
      element('p.buttons', {}, failure.canRetry ? again : null, count),
    );
    return new Promise((resolve) => {
      const timer = failure.retryAfter === null ? 0 : countDown(count, failure.retryAfter, () => resolve(true));
      this.#abort.signal.addEventListener('abort', () => {
        clearInterval(timer);
        resolve(false);
      });
      again.addEventListener('click', async (event) => {
        clearInterval(timer);
        // A click that we made ourselves follows a key just given.
        if (failure.asksForKey && event.isTrusted && !(await askForKey())) return;
        resolve(true);
      });
    });
  }

  /** The text as it stands now, corrections included; empty while there is none. */
  get text() {
    return this.#transcript?.text ? inParagraphs(this.#transcript) : '';
  }

  get name() {
    return this.#file.name;
  }

  get isBusy() {
    return this.element.ariaBusy === 'true';
  }

  /** How much of it is done, 0..1. */
  get share() {
    return this.isBusy ? this.#share : 1;
  }

  // -- playing -------------------------------------------------------------------------------------------------

  async #showWaveform() {
    const found = await peaksOf(this.#file);
    if (!found) return;
    this.#setDuration(this.#wave.duration || found.duration);
    this.#wave.set({ peaks: found.peaks });
  }

  #setDuration(duration) {
    this.#wave.set({ duration });
    if (this.#player.element.paused) this.#clock.textContent = clockTime(duration);
  }

  #move(seconds) {
    this.#wave.moveTo(seconds);
    const { paused } = this.#player.element;
    this.#view.highlight(paused && seconds === 0 ? null : seconds);
    this.#clock.textContent = clockTime(paused && seconds === 0 ? this.#wave.duration : seconds);
  }

  #showPlaying(playing) {
    name(this.#toggle, playing ? 'pause' : 'play').replaceChildren(icon(playing ? 'pause' : 'play'));
  }

  #showBroken() {
    this.#toggle.disabled = true;
    this.element.classList.add('mute');
    if (this.element.dataset.state !== 'done' || this.#body.querySelector('.mute-note')) return;
    this.#body.append(say(element('p.hint.mute-note'), this.#file.size ? 'notPlayable' : 'soundNotKept'));
  }

  /** Take it from the page. */
  remove() {
    this.#abort.abort();
    this.#comparison?.stop();
    this.#player.close();
    this.element.remove();
    this.#tell();
  }

  #leave() {
    // Whoever uses the keyboard goes on from the next card, not from the top of the page.
    const near = [this.element.nextElementSibling, this.element.previousElementSibling];
    const next = near.map((one) => one?.querySelector('.close')).find(Boolean) ?? document.getElementById('choose');
    this.remove();
    next.focus();
  }
}
