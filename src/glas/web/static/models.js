// For administrators: a dialog with all models, which fetches one and lets it serve.

import { fetchAndServe, offeredModels, stopFetch } from './api.js';
import { element } from './dom.js';
import { explain } from './failures.js';
import { current, number, say, text } from './language.js';

const LOOK_MS = 1000;
const RUNNING = new Set(['fetching', 'loading']);

const byId = (id) => document.getElementById(id);

/** What went wrong: in our words, then in the server's own. */
function describe(error) {
  const { title, advice } = explain(error);
  return [`${text(title)}. ${text(advice)}`, error.message].filter(Boolean).join(' ');
}

/** One model in the list; elements stay, so that a button keeps its focus while figures change. */
class Row {
  #heading = element('h3');
  #summary = element('p.hint');
  #facts = element('p.model-facts');
  #use = element('button.plain', { type: 'button' });
  #stop = say(element('button.plain', { type: 'button' }), 'modelsStop');
  #bar = element('progress');
  #failure = element('p.model-failure', { role: 'alert' });

  constructor(id, { onUse, onStop }) {
    this.#use.addEventListener('click', () => onUse(id));
    this.#stop.addEventListener('click', () => onStop(id));
    const action = element('div.model-action', {}, this.#bar, this.#use, this.#stop);
    this.element = element('li.model', { data: { model: id } }, this.#heading, this.#summary, this.#facts, action, this.#failure);
  }

  show(model, isBusy) {
    const { title, summary, fetch } = model;
    const isRunning = RUNNING.has(fetch?.state);
    this.#heading.textContent = title[current()];
    this.#summary.textContent = summary[current()];
    this.#facts.textContent = factsOf(model).join(' · ');
    say(this.#use, model.is_on_disk ? 'modelsUse' : 'modelsTake');
    this.#use.hidden = model.is_default || isRunning;
    this.#use.disabled = isBusy;
    this.#stop.hidden = fetch?.state !== 'fetching';
    this.#bar.hidden = !isRunning;
    if (fetch?.state === 'fetching' && fetch.total_bytes) {
      this.#bar.max = fetch.total_bytes;
      this.#bar.value = fetch.done_bytes;
    } else {
      this.#bar.removeAttribute('value'); // nobody knows how long
    }
    this.#failure.hidden = fetch?.state !== 'failed';
    this.#failure.textContent = fetch?.error ? describe(fetch.error) : '';
  }
}

function factsOf({ size_mb: size, licence, is_on_disk: isOnDisk, is_default: isDefault, fetch }) {
  const state = fetch?.state;
  const percent = fetch?.total_bytes ? Math.floor((100 * fetch.done_bytes) / fetch.total_bytes) : 0;
  return [
    size && text('modelsSize', { size: number(size, 3) }),
    licence,
    isOnDisk && text('modelsOnDisk'),
    isDefault && text(state === 'done' && fetch.survives_restart === false ? 'modelsUntilRestart' : 'modelsServing'),
    state === 'fetching' && text('modelsFetching', { percent }),
    state === 'loading' && text('modelsLoading'),
    state === 'stopped' && text('modelsStopped'),
  ].filter(Boolean);
}

export class Models {
  #dialog = byId('models');
  #rows = new Map();
  #models = [];
  #onChange;
  #timer = null;

  /** @param {() => void} onChange  called when another model has begun to serve */
  constructor(onChange) {
    this.#onChange = onChange;
    for (const id of ['models-open', 'models-better']) byId(id).addEventListener('click', () => this.#open());
    byId('models-close').addEventListener('click', () => this.#dialog.close());
    document.addEventListener('languagechange', () => this.#show());
  }

  /** Show the buttons to those who may change models; the server decides who that is. */
  async offer() {
    const models = await offeredModels().catch(() => null);
    this.#models = models ?? [];
    byId('models-open').hidden = byId('models-better').hidden = models === null;
  }

  #open() {
    this.#fail(null);
    this.#dialog.showModal();
    this.#look();
  }

  /** Look how far everything is, and again while something is being fetched. */
  async #look() {
    clearTimeout(this.#timer);
    const before = this.#serving();
    try {
      this.#models = await offeredModels();
      this.#show();
    } catch (error) {
      this.#fail(error);
    }
    if (before && this.#serving() !== before) this.#onChange();
    clearTimeout(this.#timer);
    if (this.#isBusy()) this.#timer = setTimeout(() => this.#look(), LOOK_MS);
  }

  #serving() {
    return this.#models.find((model) => model.is_default)?.id ?? '';
  }

  #isBusy() {
    return this.#models.some((model) => RUNNING.has(model.fetch?.state));
  }

  #show() {
    const isBusy = this.#isBusy();
    for (const model of this.#models) {
      if (!this.#rows.has(model.id)) {
        const row = new Row(model.id, {
          onUse: (id) => this.#do(fetchAndServe, id),
          onStop: (id) => this.#do(stopFetch, id),
        });
        this.#rows.set(model.id, row);
        byId('models-list').append(row.element);
      }
      this.#rows.get(model.id).show(model, isBusy);
    }
  }

  async #do(action, id) {
    this.#fail(null);
    try {
      await action({ id });
    } catch (error) {
      this.#fail(error);
    }
    await this.#look();
  }

  #fail(error) {
    byId('models-failure').hidden = error === null;
    byId('models-failure').textContent = error === null ? '' : describe(error);
  }
}
