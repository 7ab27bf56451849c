// The head and the foot of a card: its name, its figures, what can be done with its text.

import { subtitles } from './api.js';
import { copy } from './clipboard.js';
import { download, element, icon } from './dom.js';
import { languageName, name, plural, say, text } from './language.js';
import { inParagraphs } from './transcript.js';

const NOTICE_MS = 1600;

/** The name of the recording and the button that removes its card. */
export function closing(fileName, onClose) {
  const close = element('button.ghost.close', { type: 'button', on: { click: onClose } }, icon('close'));
  return element('header', {}, element('h3.name', { title: fileName }, fileName), name(close, 'remove'));
}

/** What to know where another language is spoken than the model was to write. */
export function foreign({ language }) {
  return say(element('p.legend'), 'foreign', { language: () => languageName(language) });
}

/**
 * Figures and buttons under a text.
 * @param {object} card  `file`, `result`, `transcript()`, `view` (the shown text), `choice` (of another model), `onEdit(written)`
 */
export function toolbar(card) {
  const { result } = card;
  const editing = { field: null };
  const foot = element('footer', {}, figures(result));
  if (!result.text) return foot;
  const stem = card.file.name.replace(/\.[^.]+$/, '') || 'glas';
  const save = (extension, type, content) => {
    const button = element('button.ghost', { type: 'button' }, extension.toUpperCase());
    button.addEventListener('click', async () => {
      try {
        download(`${stem}.${extension}`, type, await content());
      } catch (error) {
        saveFailed(button, error);
      }
    });
    return button;
  };
  const saves = element(
    'span.saves',
    { role: 'group' },
    save('txt', 'text/plain', () => `${inParagraphs(card.transcript())}\n`),
    save('srt', 'application/x-subrip', () => subtitles('srt', card.transcript())),
    save('vtt', 'text/vtt', () => subtitles('vtt', card.transcript())),
    save('json', 'application/json', () => JSON.stringify(result, null, 2)),
  );
  const buttons = [copyButton(card, editing), editButton(card, editing), card.choice, name(saves, 'download')];
  foot.append(element('div.tools', {}, ...buttons));
  return foot;
}

/** Say for a moment, in place of a button's name, that nothing was saved. */
function saveFailed(button, error) {
  console.error(error);
  const written = button.textContent;
  button.textContent = text('copyFailed');
  setTimeout(() => (button.textContent = written), NOTICE_MS);
}

function copyButton({ transcript }, editing) {
  const label = say(element('span'), 'copy');
  const button = element('button.main.copy', { type: 'button' }, icon('copy'), label);
  button.addEventListener('click', async () => {
    const worked = await copy(editing.field?.value ?? inParagraphs(transcript()));
    button.firstChild.replaceWith(icon(worked ? 'check' : 'copy'));
    say(label, worked ? 'copied' : 'copyFailed');
    setTimeout(() => {
      button.firstChild.replaceWith(icon('copy'));
      say(label, 'copy');
    }, NOTICE_MS);
  });
  return button;
}

function editButton({ transcript, view, onEdit }, editing) {
  const label = say(element('span'), 'edit');
  const button = element('button.plain.edit', { type: 'button' }, icon('edit'), label);
  button.addEventListener('click', () => {
    if (editing.field) {
      onEdit(editing.field.value);
      return;
    }
    const field = name(element('textarea.correction', { value: transcript().text, lang: 'ru', spellcheck: true }), 'edit');
    const grow = () => {
      field.style.height = 'auto';
      field.style.height = `${field.scrollHeight + 2}px`;
    };
    field.addEventListener('input', grow);
    field.addEventListener('keydown', (event) => {
      if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) button.click();
      if (event.key !== 'Escape') return;
      event.preventDefault();
      field.replaceWith(view);
      editing.field = null;
      button.firstChild.replaceWith(icon('edit'));
      say(label, 'edit');
      button.focus();
    });
    view.replaceWith(field);
    grow();
    field.focus();
    editing.field = field;
    button.firstChild.replaceWith(icon('check'));
    say(label, 'editDone');
  });
  return button;
}

/** Time taken, speed, model, confidence. */
function figures({ duration, elapsed_seconds: took, model, confidence }) {
  const list = element('ul.figures');
  const add = (key, values) => list.append(say(element('li'), key, values));
  if (took) {
    add('took', { seconds: took });
    add(...speed(duration / took));
  }
  // Of a folder of one's own the last name says enough.
  if (model) list.append(element('li.of-model', {}, model.split(/[/\\]/).at(-1)));
  if (typeof confidence === 'number') add('sureness', { percent: Math.round(confidence * 100) });
  return list;
}

function speed(times) {
  if (times >= 1.2) return [`faster${form(times)}`, { times }];
  if (times <= 0.8) return [`slower${form(1 / times)}`, { times: 1 / times }];
  return ['asFast', {}];
}

/** In Russian it is «в 5 раз», but «в 2 раза» and «в 1,5 раза». */
const form = (times) => (['few', 'other'].includes(plural(times)) ? 'Few' : 'One');

/** What was said, where that is known. */
export function spoken(reference) {
  return element('p.truth', {}, say(element('span'), 'truth'), ' ', element('q', { lang: 'ru' }, reference));
}

/** The server's own words, which are English and exact. */
export function told(message, open) {
  const words = element('p', { lang: 'en' }, message);
  return element('details.told', { open }, say(element('summary'), 'told'), words);
}

/** Where nothing was heard. */
export function silence() {
  return element('div.silence', {}, say(element('p'), 'nothingHeard'), say(element('p.hint'), 'nothingHeardHint'));
}

/** Count seconds down to the next try. */
export function countDown(target, seconds, onEnd) {
  let left = seconds;
  say(target, 'retryIn', { seconds: left });
  const timer = setInterval(() => {
    left -= 1;
    if (left > 0) say(target, 'retryIn', { seconds: left });
    else {
      clearInterval(timer);
      onEnd();
    }
  }, 1000);
  return timer;
}
