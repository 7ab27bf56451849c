// What was heard, as text that can be touched: words know their seconds.

import { element } from './dom.js';
import { say, tip } from './language.js';

// Below this the page says that it is not sure; the server says how much that is.
export const SURE = Number(document.querySelector('meta[name="glas-sure"]').content);
// Where more than this share of the words is uncertain, marking each says nothing: one sentence does.
const TOO_MANY = 0.6;
// A pause this long begins a new paragraph; so does a sentence after so many letters.
const PARAGRAPH_S = 2;
const PARAGRAPH_CHARS = 500;

/** Put the words of an answer into its segments. The segments' own text is what is shown where the words fit it. */
export function transcriptOf(result) {
  const words = result.words ?? [];
  let next = 0;
  const segments = (result.segments ?? []).map((segment) => {
    const own = [];
    // Half a frame of tolerance: times are rounded.
    while (next < words.length && words[next].start < segment.end + 0.01) own.push(words[next++]);
    return segmentOf({ ...segment, words: own });
  });
  if (!segments.length && result.text) {
    segments.push(segmentOf({ start: 0, end: result.duration, text: result.text, words: [] }));
  }
  return { text: result.text, duration: result.duration, segments };
}

/** A segment whose words carry the punctuation of its text. */
export function segmentOf({ start, end, text, confidence = null, words = [] }) {
  const written = text.trim().split(/\s+/).filter(Boolean);
  const fits = written.length === words.length;
  const timed = words.map((word, index) => ({ ...word, word: fits ? written[index] : word.word.trim() }));
  const known = timed.some((word) => isNumber(word.confidence));
  return {
    start,
    end,
    text: text.trim(),
    words: timed,
    confidence,
    unsure: isNumber(confidence) && confidence < SURE,
    wordsKnow: known,
  };
}

/** Whether a segment begins a new paragraph, after `last` (or null) and `letters` of the paragraph so far. */
function beginsParagraph(segment, last, letters) {
  if (last === null || segment.start - last.end >= PARAGRAPH_S) return true;
  return letters >= PARAGRAPH_CHARS && /[.!?…]["'»”)]*$/u.test(last.text);
}

/** The text with an empty line between paragraphs. */
export function inParagraphs({ segments, text }) {
  if (!segments.length) return text;
  const paragraphs = [];
  let last = null;
  for (const segment of segments) {
    if (beginsParagraph(segment, last, paragraphs.at(-1)?.length ?? 0)) paragraphs.push(segment.text);
    else paragraphs.push(`${paragraphs.pop()} ${segment.text}`);
    last = segment;
  }
  return paragraphs.join('\n\n');
}

const isNumber = (value) => typeof value === 'number';

export class TranscriptView {
  element = element('div.transcript');
  #spans = []; // in order of time: {span, start, end}
  #lit = null;
  #last = null;

  /** @param {(seconds: number) => void} onSeek */
  constructor(onSeek) {
    this.element.lang = 'ru';
    this.element.addEventListener('click', ({ target }) => {
      // A person who selects text does not want it to play.
      if (!getSelection().isCollapsed) return;
      const at = target.closest('[data-start]');
      if (at) onSeek(Number(at.dataset.start));
    });
  }

  clear() {
    this.element.replaceChildren();
    this.#spans = [];
    this.#lit = this.#last = null;
  }

  /** Show a whole transcript instead of what is there; give the marks that need a legend. */
  show(transcript) {
    this.clear();
    for (const segment of transcript.segments) this.add(segment);
    const { length: unsure } = this.element.querySelectorAll('.unsure');
    const doubtful = unsure > 1 && unsure > TOO_MANY * this.#spans.length;
    this.element.classList.toggle('doubtful', doubtful);
    return [
      unsure && (doubtful ? 'doubtful' : 'unsure'),
      this.element.querySelector('.corrected') && 'corrected',
    ].filter(Boolean);
  }

  /** Add one segment at the end. */
  add(segment) {
    const letters = this.element.lastElementChild?.textContent.length ?? 0;
    if (beginsParagraph(segment, this.#last, letters)) this.element.append(element('p'));
    const paragraph = this.element.lastElementChild;
    const made = element('span.segment', { data: { start: segment.start } });
    if (segment.unsure && !segment.wordsKnow) doubt(made, segment.confidence);
    if (segment.words.length) this.#addWords(made, segment.words);
    else {
      made.append(segment.text);
      this.#spans.push({ span: made, start: segment.start, end: segment.end });
    }
    if (paragraph.hasChildNodes()) paragraph.append(' ');
    paragraph.append(made);
    this.#last = segment;
  }

  #addWords(parent, words) {
    words.forEach((word, index) => {
      const span = element('span.word', { data: { start: word.start } }, word.word);
      if (word.corrected) span.classList.add('corrected');
      if (isNumber(word.confidence) && word.confidence < SURE) doubt(span, word.confidence);
      if (index) parent.append(' ');
      parent.append(span);
      this.#spans.push({ span, start: word.start, end: word.end });
    });
  }

  /** The words as they are shown; a segment without words counts as one. */
  get words() {
    return this.#spans.map(({ span }) => span.textContent);
  }

  /** Mark the words at these places only. */
  mark(places) {
    this.#spans.forEach(({ span }, place) => span.classList.toggle('differs', places.has(place)));
  }

  /** Light the word that is spoken at a second; null puts the light out. */
  highlight(seconds) {
    const found = seconds === null ? null : this.#at(seconds);
    if (found === this.#lit) return;
    this.#lit?.classList.remove('spoken');
    found?.classList.add('spoken');
    this.#lit = found;
  }

  #at(seconds) {
    let low = 0;
    let high = this.#spans.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const { span, start, end } = this.#spans[middle];
      if (seconds < start) high = middle - 1;
      else if (seconds >= end) low = middle + 1;
      else return span;
    }
    return null;
  }
}

function doubt(span, confidence) {
  span.classList.add('unsure');
  tip(span, 'unsureWord', { percent: Math.round(confidence * 100) });
}

/** The line that explains a mark: 'unsure', 'doubtful' or 'corrected'. */
export function legend(mark) {
  if (mark === 'doubtful') return say(element('p.legend'), 'doubtfulLegend');
  const example = say(element(`span.${mark}`), `${mark}Example`);
  return element('p.legend', {}, example, ' — ', say(element('span'), `${mark}Legend`));
}
