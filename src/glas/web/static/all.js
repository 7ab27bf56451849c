// What can be done with all texts at once, as soon as there are two.

import { copy } from './clipboard.js';
import { download, element } from './dom.js';
import { name, say, text } from './language.js';

const NOTICE_MS = 1600;
const SEVERAL = 2;

export class All {
  #cards = [];
  #bar;

  constructor() {
    const copyAll = say(element('button.plain', { type: 'button' }), 'copyAll');
    copyAll.addEventListener('click', async () => {
      say(copyAll, (await copy(this.#together())) ? 'copied' : 'copyFailed');
      setTimeout(() => say(copyAll, 'copyAll'), NOTICE_MS);
    });
    const downloadAll = say(element('button.plain', { type: 'button' }), 'downloadAll');
    downloadAll.addEventListener('click', () => download(`${text('allName')}.txt`, 'text/plain', this.#together()));
    this.#bar = name(element('p.all', { role: 'group', hidden: true }, copyAll, downloadAll), 'results');
    // What a person has not copied yet is gone with the page.
    addEventListener('beforeunload', (event) => this.#cards.some((card) => card.text || card.isBusy) && event.preventDefault());
    document.addEventListener('cardchange', () => this.#show());
  }

  /** The element that holds the buttons. */
  get element() {
    return this.#bar;
  }

  add(cards) {
    this.#cards.unshift(...cards);
  }

  #show() {
    this.#cards = this.#cards.filter((card) => card.element.isConnected);
    this.#bar.hidden = this.#cards.filter((card) => card.text).length < SEVERAL;
  }

  #together() {
    return this.#cards
      .filter((card) => card.text)
      .map((card) => `${card.name}\n\n${card.text}\n`)
      .join('\n\n');
  }
}
