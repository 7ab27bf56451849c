// A text that a person corrected, put back onto the seconds of what was heard.

import { segmentOf } from './transcript.js';

// Beyond this many pairs of words a table of them is too large; the words are then spread evenly.
const LARGEST_TABLE = 4_000_000;

/** The same transcript with another text: words that stayed keep their seconds, new ones share those they replaced. */
export function corrected(transcript, text) {
  const old = transcript.segments.flatMap((segment, index) =>
    segment.words.map((word) => ({ ...word, segment: index })),
  );
  const written = text.trim().split(/\s+/).filter(Boolean);
  if (!old.length) return withoutTimes(transcript, text.trim());
  const words = place(old, written, anchors(old.map(({ word }) => plain(word)), written.map(plain)));
  const segments = transcript.segments
    .map((segment, index) => {
      const own = words.filter((word) => word.segment === index);
      return segmentOf({ ...segment, text: own.map(({ word }) => word).join(' '), words: own });
    })
    .filter(({ text: kept }) => kept);
  return { ...transcript, text: written.join(' '), segments };
}

function withoutTimes(transcript, text) {
  const [first] = transcript.segments;
  const start = first?.start ?? 0;
  const end = transcript.segments.at(-1)?.end ?? transcript.duration;
  return { ...transcript, text, segments: text ? [segmentOf({ start, end, text })] : [] };
}

const plain = (word) => word.toLowerCase().replaceAll('ё', 'е').replace(/[^\p{L}\p{N}]/gu, '');

/** Pairs [index in a, index in b] of a longest common subsequence. */
function anchors(a, b) {
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head += 1;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a.at(-1 - tail) === b.at(-1 - tail)) tail += 1;
  const pairs = Array.from({ length: head }, (_, index) => [index, index]);
  pairs.push(...middle(a.slice(head, a.length - tail), b.slice(head, b.length - tail)).map(([i, j]) => [i + head, j + head]));
  for (let index = tail; index > 0; index -= 1) pairs.push([a.length - index, b.length - index]);
  return pairs;
}

function middle(a, b) {
  if (a.length * b.length > LARGEST_TABLE) return [];
  const width = b.length + 1;
  const best = new Uint16Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) {
      const skip = Math.max(best[(i + 1) * width + j], best[i * width + j + 1]);
      best[i * width + j] = a[i] === b[j] ? best[(i + 1) * width + j + 1] + 1 : skip;
    }
  }
  const pairs = [];
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    if (a[i] === b[j]) pairs.push([i++, j++]);
    else if (best[(i + 1) * width + j] >= best[i * width + j + 1]) i += 1;
    else j += 1;
  }
  return pairs;
}

/** Give every written word its seconds and its segment. */
function place(old, written, pairs) {
  const words = [];
  let [oldAt, newAt] = [0, 0];
  for (const [i, j] of [...pairs, [old.length, written.length]]) {
    words.push(...spread(old, oldAt, i, written.slice(newAt, j)));
    if (i < old.length) words.push({ ...old[i], word: written[j] });
    [oldAt, newAt] = [i + 1, j + 1];
  }
  return words;
}

/** New words share the seconds of old[from..to), or stand at the seam where nothing was replaced. */
function spread(old, from, to, written) {
  const first = old[Math.min(from, old.length - 1)];
  const before = old[Math.max(from - 1, 0)];
  const start = from < to ? first.start : before.end;
  const end = from < to ? old[to - 1].end : Math.max(start, first.start);
  const length = (end - start) / written.length;
  const { segment } = from < to ? first : before;
  return written.map((word, index) => ({
    word,
    start: start + index * length,
    end: start + (index + 1) * length,
    confidence: null,
    corrected: true,
    segment,
  }));
}
