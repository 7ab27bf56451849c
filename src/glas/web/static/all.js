// What concerns all recordings of the page: how far they are, their texts together, and that they are kept.

import { copy } from './clipboard.js';
import { download, element } from './dom.js';
import { forget, forgetAll, keep } from './kept.js';
import { name, say, text } from './language.js';

const NOTICE_MS = 1600;
const SEVERAL = 2;

export class All {
  #cards = [];
  #run = []; // those that came in since all others were done
  #bar = element('progress');
  #count = element('span');
  #progress;
  #buttons;
  #hint = say(element('p.hint'), 'keptHint');

  constructor() {
    this.#progress = element('p.all-progress', { role: 'status' }, name(this.#bar, 'progressName'), this.#count);
    this.#buttons = name(element('p.all', { role: 'group' }, ...this.#together(), this.#clearing()), 'results');
    this.element = element('div.about-all', {}, this.#progress, this.#buttons, this.#hint);
    // What is not kept is gone with the page.
    addEventListener('beforeunload', (event) => {
      if (this.#cards.some((card) => card.isBusy || (card.text && !card.isKept))) event.preventDefault();
    });
    document.addEventListener('cardchange', ({ detail }) => this.#onChange(detail));
    document.addEventListener('cardprogress', () => this.#show());
    this.#show();
  }

  /** Take in cards that were chosen together; they stand above the others. */
  add(cards) {
    if (!this.#run.some((card) => card.isBusy)) this.#run = [];
    const now = Date.now();
    cards.forEach((card, place) => {
      card.order = [now, place];
    });
    this.#run.push(...cards);
    this.#cards.unshift(...cards);
    this.element.after(...cards.map((card) => card.element));
  }

  /** Take in cards of what was kept, below those that came in meanwhile. */
  restore(cards) {
    this.#cards.push(...cards);
    this.element.parentElement.append(...cards.map((card) => card.element));
    this.#show();
  }

  async #onChange(card) {
    this.#cards = this.#cards.filter(({ element: { isConnected } }) => isConnected);
    this.#run = this.#run.filter(({ element: { isConnected } }) => isConnected);
    this.#show();
    if (card.element.isConnected) card.isKept = await keep(card.record);
    else await forget(card);
    this.#show();
  }

  #show() {
    const finished = this.#run.filter((card) => !card.isBusy).length;
    this.#progress.hidden = this.#run.length < SEVERAL || finished === this.#run.length;
    this.#bar.max = this.#run.length;
    this.#bar.value = this.#run.reduce((sum, card) => sum + card.share, 0);
    if (this.#progress.dataset.count !== `${finished}/${this.#run.length}`) {
      this.#progress.dataset.count = `${finished}/${this.#run.length}`;
      say(this.#count, 'progress', { done: finished, total: this.#run.length });
    }
    const texts = this.#cards.filter((card) => card.text).length;
    for (const button of this.#buttons.querySelectorAll('.of-several')) button.hidden = texts < SEVERAL;
    this.#buttons.hidden = this.#cards.length === 0;
    this.#hint.hidden = !this.#cards.some((card) => card.isKept);
  }

  /** The buttons for all texts at once. */
  #together() {
    const written = () =>
      this.#cards
        .filter((card) => card.text)
        .map((card) => `${card.name}\n\n${card.text}\n`)
        .join('\n\n');
    const copyAll = say(element('button.plain.of-several', { type: 'button' }), 'copyAll');
    copyAll.addEventListener('click', async () => {
      say(copyAll, (await copy(written())) ? 'copied' : 'copyFailed');
      setTimeout(() => say(copyAll, 'copyAll'), NOTICE_MS);
    });
    const downloadAll = say(element('button.plain.of-several', { type: 'button' }), 'downloadAll');
    downloadAll.addEventListener('click', () => download(`${text('allName')}.txt`, 'text/plain', written()));
    return [copyAll, downloadAll];
  }

  #clearing() {
    const clear = say(element('button.plain', { type: 'button' }), 'clear');
    clear.addEventListener('click', async () => {
      if (!confirm(text('clearAsk'))) return;
      for (const card of [...this.#cards]) card.remove();
      await forgetAll();
      document.getElementById('choose').focus();
    });
    return clear;
  }
}
