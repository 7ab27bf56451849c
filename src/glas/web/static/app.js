// The page: where recordings come in, and the cards in which they end.

import { All } from './all.js';
import { health, sampleFile, samples } from './api.js';
import { Card } from './card.js';
import { element } from './dom.js';
import { kept } from './kept.js';
import { current, say, speak } from './language.js';
import { Microphone } from './microphone.js';
import { Models } from './models.js';
import { whyNot } from './recorder.js';

const all = new All();

const byId = (id) => document.getElementById(id);

// What a button of a sample shows of its text: two words, or three short ones.
const TITLE_WORDS = 2;
const SHORT_TITLE = 9;

function add(files, reference = null) {
  // The newest above the older ones, and of those chosen together the first on top.
  const cards = files.map((file) => new Card(file, reference));
  all.add(cards);
  for (const card of cards) card.run();
  cards[0]?.element.scrollIntoView({ block: 'nearest', behavior: 'smooth' });
}

function listenToLanguages() {
  const buttons = document.querySelectorAll('[data-language]');
  const mark = () => {
    for (const button of buttons) button.ariaPressed = String(button.dataset.language === document.documentElement.lang);
  };
  for (const button of buttons) button.addEventListener('click', () => speak(button.dataset.language));
  document.addEventListener('languagechange', mark);
  speak();
}

function listenToFiles() {
  const onInput = ({ target }) => {
    add([...target.files]);
    target.value = ''; // so that the same file can be chosen again
  };
  byId('files').addEventListener('change', onInput);
  byId('capture').addEventListener('change', onInput);
  byId('choose').addEventListener('click', () => byId('files').click());
  byId('dictaphone').addEventListener('click', () => byId('capture').click());
  // A phone's own recorder needs no secure page.
  byId('dictaphone').hidden = whyNot() === null || !matchMedia('(pointer: coarse)').matches;
  document.addEventListener('paste', ({ clipboardData }) => add([...(clipboardData?.files ?? [])]));
}

function listenToDrops() {
  const curtain = byId('drop');
  const carriesFiles = (event) => event.dataTransfer?.types.includes('Files');
  let depth = 0; // dragenter and dragleave come for every element on the way
  const show = (change) => {
    depth = Math.max(0, depth + change);
    curtain.hidden = depth === 0;
  };
  document.addEventListener('dragenter', (event) => carriesFiles(event) && show(+1));
  document.addEventListener('dragleave', (event) => carriesFiles(event) && show(-1));
  document.addEventListener('dragover', (event) => carriesFiles(event) && event.preventDefault());
  document.addEventListener('drop', (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    show(-Infinity);
    add([...event.dataTransfer.files]);
  });
}

async function showServing() {
  const line = byId('serving');
  try {
    const { model, title } = await health();
    line.dataset.state = 'up';
    const name = element('span.serving-model', { title: title[current()] }, title[current()]);
    line.replaceChildren(say(element('span.serving-by'), 'serving'), ' ', name);
    byId('embedded').hidden = model !== 'embedded';
  } catch {
    line.dataset.state = 'down';
    line.replaceChildren(say(element('span'), 'servingUnknown'));
  }
}

async function showSamples() {
  const found = await samples().catch(() => []);
  for (const sample of found) {
    const button = element('button.chip', { type: 'button', lang: 'ru' }, titleOf(sample));
    button.addEventListener('click', async () => {
      button.disabled = true;
      try {
        add([await sampleFile(sample)], sample.text);
      } catch {
        showServing(); // says whether the server is there at all
      } finally {
        button.disabled = false;
      }
    });
    byId('sample-list').append(element('li', {}, button));
  }
  byId('samples').hidden = found.length === 0;
}

async function showKept() {
  all.restore((await kept()).map((record) => Card.of(record)));
}

function titleOf({ name, text }) {
  if (!text) return name.replace(/\.[^.]+$/, '').replaceAll(/[-_]/g, ' ');
  const words = text.split(' ');
  const count = words.slice(0, TITLE_WORDS).join(' ').length < SHORT_TITLE ? TITLE_WORDS + 1 : TITLE_WORDS;
  const shown = words.slice(0, count).join(' ').replace(/[\p{P}\s]+$/u, '');
  return words.length > count ? `${shown}…` : shown;
}

byId('results-title').after(all.element);
listenToLanguages();
listenToFiles();
listenToDrops();
new Microphone((file) => add([file]));
const models = new Models(showServing);
models.offer();
document.addEventListener('keychange', () => models.offer());
document.addEventListener('languagechange', showServing);
showServing();
showSamples();
showKept();
