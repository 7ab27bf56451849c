// A text that a person corrected, put back onto the seconds of what was heard.

import { segmentOf } from './transcript.js';
import { anchors, plain } from './words.js';

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
