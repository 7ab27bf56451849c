// The page of reviewers. All of it can be done by keys; keys are known by their place, so that the layout does not matter.

import { element } from '../dom.js';
import { Refusal } from '../pages/ask.js';
import { Sound } from './sound.js';
import { Work } from './work.js';

const HOLD_LONGER_MS = 4 * 60_000;
const LOOK_AGAIN_MS = 20_000;

const byId = (id) => document.getElementById(id);
const root = byId('review');
const said = (key) => root.dataset[key];
const verdicts = [...document.querySelectorAll('[data-verdict]')];

const work = new Work((figures) => {
  for (const [name, text] of Object.entries(figures)) byId(name).textContent = text;
});
const sound = new Sound(showWord);
let shown; // the message that is on the page; null: there is none; undefined: not known yet
let isLooking = 0; // how many times the server is being asked for messages
let answered = null; // the last one that was answered
let hasActed = false; // a browser plays nothing before a person has done something

const isEditing = () => !byId('editing').hidden;

function tell(text, isProblem = false) {
  byId('told').textContent = text;
  byId('told').classList.toggle('is-problem', isProblem);
}

function showWord(index) {
  const words = byId('words').children;
  byId('words').querySelector('.spoken')?.classList.remove('spoken');
  if (index >= 0 && shown && !shown.isChanged) words[index]?.classList.add('spoken');
}

function showWords() {
  const target = byId('words');
  if (shown.words.length === 0 || shown.isChanged) {
    const mark = shown.isChanged ? element('small.corrected', {}, said('corrected')) : null;
    target.replaceChildren(element('span', {}, shown.written), mark ?? '');
    return;
  }
  const made = shown.words.map(({ word, start }) =>
    element('span.word', { on: { click: () => sound.playFrom(start), dblclick: edit } }, word),
  );
  target.replaceChildren(...made.flatMap((one, index) => (index ? [' ', one] : [one])));
}

/** Show what another model heard, with its other words marked. */
function showSecond() {
  byId('second').hidden = shown.second.length === 0;
  const made = shown.second.map(({ word, differs }) => (differs ? element('mark', {}, word) : word));
  byId('second-words').replaceChildren(...made.flatMap((one, index) => (index ? [' ', one] : [one])));
}

/** Show the current message, or that there is none. */
async function show() {
  const item = work.current;
  for (const id of ['item', 'verdicts']) byId(id).hidden = item === null;
  byId('empty').hidden = item !== null;
  byId('undo').disabled = answered === null;
  byId('empty').textContent = said(isLooking ? 'loading' : 'empty');
  if (item === shown) return;
  shown = item;
  root.dataset.item = item?.id ?? '';
  if (!item) {
    sound.clear();
    return;
  }
  byId('editing').hidden = true;
  byId('words').hidden = false;
  byId('sound-problem').hidden = true;
  byId('sound-problem').textContent = said('noSound');
  showWords();
  showSecond();
  const hasSound = await sound.show(item, hasActed);
  if (shown !== item) return;
  byId('sound-problem').hidden = hasSound;
  root.dataset.heard = item.id;
}

async function refill() {
  isLooking += 1;
  try {
    await work.refill();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    if (!work.current) byId('empty').textContent = error.said || said('noAnswer');
    return;
  } finally {
    isLooking -= 1;
  }
  await show();
  const next = work.items[1];
  await sound.prepare(next);
  root.dataset.ready = next?.id ?? '';
}

function edit() {
  if (!shown) return;
  byId('words').hidden = true;
  byId('editing').hidden = false;
  const field = byId('field');
  field.value = shown.written;
  fit();
  field.focus();
  field.setSelectionRange(field.value.length, field.value.length);
}

function leave() {
  shown.written = byId('field').value;
  byId('editing').hidden = true;
  byId('words').hidden = false;
  showWords();
}

function fit() {
  const field = byId('field');
  field.style.height = 'auto';
  field.style.height = `${field.scrollHeight + 2}px`;
}

/** Send what stands in the field. */
function send() {
  const item = shown;
  leave();
  if (item.isChanged) answer('correct');
  else tell(said('unchanged'), true);
}

/** Do what the key or the button of a verdict says; words that were changed are what was heard, if they are right. */
function judge(verdict) {
  if (!shown) return;
  if (isEditing()) leave();
  if (verdict === 'correct') edit();
  else answer(verdict === 'accept' && shown.isChanged ? 'correct' : verdict);
}

/** Send an answer, and show the next message at once. */
async function answer(verdict) {
  const item = shown;
  const sent = work.answer(item, verdict, verdict === 'correct' ? item.written.trim() : undefined);
  answered = item;
  tell('');
  isLooking += 1;
  show();
  try {
    const { said: words, is_kept: isKept } = await sent;
    if (!isKept && answered === item) answered = null;
    tell(words, !isKept);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    // It is still held: the reviewer answers again.
    work.putBack(item);
    if (answered === item) answered = null;
    tell(error.code === 'correction_implausible' ? error.said : said('notSent'), true);
    await show();
  } finally {
    isLooking -= 1;
  }
  await refill();
}

async function undo() {
  const item = answered;
  if (!item) {
    tell(said('nothingToTakeBack'), true);
    return;
  }
  answered = null;
  byId('undo').disabled = true;
  try {
    const problem = await work.takeBack(item);
    tell(problem ?? said('takenBack'), problem !== null);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    tell(error.said || said('notSent'), true);
  }
  await show();
}

const KEYS = {
  Space: () => sound.toggle(),
  ArrowLeft: () => sound.step(-1),
  ArrowRight: () => sound.step(+1),
  ArrowUp: () => sound.faster(+1),
  ArrowDown: () => sound.faster(-1),
  KeyR: () => sound.again(),
  KeyL: () => sound.toggleLoop(),
  KeyZ: () => undo(),
};
verdicts.forEach((button, index) => {
  const act = () => judge(button.dataset.verdict);
  KEYS[`Digit${index + 1}`] = KEYS[`Numpad${index + 1}`] = act;
  button.addEventListener('click', () => {
    button.blur(); // so that the space bar plays again
    act();
  });
});

function onKey(event) {
  hasActed = true;
  if (event.defaultPrevented || event.isComposing) return;
  const isPlain = !event.ctrlKey && !event.altKey && !event.metaKey;
  if (isEditing() && event.target === byId('field')) {
    if (event.code === 'Space' && event.ctrlKey) sound.toggle();
    else if (event.key === 'Enter' && isPlain && !event.shiftKey) send();
    else if (event.key === 'Escape') leave();
    else return;
  } else {
    const isPressed = event.target.closest?.('button, a, input, summary') && /^(Space|Enter)$/.test(event.code);
    const act = KEYS[event.code];
    if (!act || !isPlain || isPressed || (event.repeat && !event.code.startsWith('Arrow'))) return;
    act();
  }
  event.preventDefault();
}

document.addEventListener('keydown', onKey);
document.addEventListener('pointerdown', () => {
  hasActed = true;
});
byId('undo').addEventListener('click', undo);
byId('send').addEventListener('click', send);
byId('leave').addEventListener('click', leave);
byId('field').addEventListener('input', fit);
setInterval(() => (work.current ? refill() : null), HOLD_LONGER_MS);
setInterval(() => (work.current || isLooking || document.hidden ? null : refill()), LOOK_AGAIN_MS);
refill();
