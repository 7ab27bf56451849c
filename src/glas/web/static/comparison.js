// What another model hears in the same recording: its text beside the first one, different words marked in both.

import { recognise, servedModels } from './api.js';
import { element } from './dom.js';
import { explain } from './failures.js';
import { current, name, say } from './language.js';
import { inTurn } from './queue.js';
import { differences } from './words.js';

const LISTED_MS = 5_000;
const ignore = () => {};
let listed = null;

/** The models, asked for once for all cards that appear together. */
function models() {
  if (!listed) {
    listed = servedModels();
    setTimeout(() => (listed = null), LISTED_MS);
  }
  return listed;
}

export class Comparison {
  /** For choosing the other model; hidden where there is none. */
  choice = name(element('select.compare', { hidden: true }), 'compare');
  element;
  #file;
  #first;
  #view;
  #models = [];
  #abort = new AbortController();
  #heads = [element('p.hint.of-text', { hidden: true }), element('p.hint.of-text')];
  #words = element('p.other-words', { lang: 'ru' });
  #status = element('p.hint', { role: 'status' });
  #here = element('div');
  #other = element('div', { hidden: true }, this.#heads[1], this.#words, this.#status);
  #second = null;

  /**
   * @param {File} file
   * @param {object} first  the answer of the model that was asked already
   * @param {import('./transcript.js').TranscriptView} view  shows its text
   */
  constructor(file, first, view) {
    this.#file = file;
    this.#first = first;
    this.#view = view;
    this.element = element('div.texts', {}, this.#here, this.#other);
    this.choice.addEventListener('change', () => this.#ask(this.choice.value));
    if (file.size) this.#offer();
  }

  async #offer() {
    this.#models = await models();
    const others = this.#models.filter(({ id }) => id !== this.#first.model);
    const options = others.map(({ id }) => say(element('option', { value: id }), 'modelName', { model: () => this.#title(id) }));
    this.choice.replaceChildren(say(element('option', { value: '' }), 'compareNone'), ...options);
    this.choice.hidden = others.length === 0;
  }

  #title(id) {
    return this.#models.find((model) => model.id === id)?.title[current()] ?? id;
  }

  async #ask(model) {
    this.stop();
    this.#abort = new AbortController();
    const { signal } = this.#abort;
    this.#second = null;
    this.#other.hidden = model === '';
    this.#mark();
    if (!model) return;
    say(this.#heads[1], 'modelName', { model: () => this.#title(model) });
    say(this.#status, 'recognising');
    try {
      this.#second = await inTurn(() => recognise(this.#file, { model, signal, onUpload: ignore, onDelta: ignore }), signal);
      this.#status.replaceChildren();
      this.#mark();
    } catch (error) {
      if (signal.aborted) return;
      say(this.#status, explain(error).title);
    }
  }

  /** Show the first text as it stands now, in place of a field in which it was corrected. */
  show() {
    this.#here.replaceChildren(this.#heads[0], this.#view.element);
    this.#mark();
  }

  /** Mark the words in which the texts differ. */
  #mark() {
    const other = this.#second?.text.split(/\s+/).filter(Boolean) ?? [];
    const [here, there] = this.#second ? differences(this.#view.words, other) : [new Set(), new Set()];
    this.#view.mark(here);
    const made = other.map((word, place) => (there.has(place) ? element('mark', {}, word) : word));
    this.#words.replaceChildren(...made.flatMap((one, index) => (index ? [' ', one] : [one])));
    this.#heads[0].hidden = this.#second === null;
    if (this.#second) this.#heads.forEach((head, place) => this.#tell(head, [this.#first, this.#second][place]));
  }

  /** Name the model of a text, and how long it worked. */
  #tell(head, { model, processing_seconds: seconds }) {
    say(head, 'compareTook', { model: () => this.#title(model), seconds });
  }

  /** Give up what is being recognised. */
  stop() {
    this.#abort.abort();
  }
}
