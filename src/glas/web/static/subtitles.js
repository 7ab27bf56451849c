// The answer as files: plain text, SubRip, WebVTT, JSON. The same rules as glas.domain.subtitles on the server: a segment is
// a cue, cut between words where it would not fit into two lines of 42 characters.

const LINE_CHARS = 42;
const LINES_PER_CUE = 2;
const SHORTEST_CUE_S = 0.001;

/** @param {{segments: {start, end, text, words: {word, start, end}[]}[]}} transcript */
export function toSrt(transcript) {
  return cues(transcript)
    .map(({ start, end, lines }, index) => {
      const body = lines.join('\n').replaceAll('-->', '→'); // SubRip cannot escape its own arrow
      return `${index + 1}\n${stamp(start, ',')} --> ${stamp(end, ',')}\n${body}\n`;
    })
    .join('\n');
}

export function toVtt(transcript) {
  const blocks = cues(transcript).map(({ start, end, lines }) => {
    const body = lines.join('\n').replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
    return `${stamp(start, '.')} --> ${stamp(end, '.')}\n${body}\n`;
  });
  return ['WEBVTT\n', ...blocks].join('\n');
}

export function cues(transcript) {
  return transcript.segments.flatMap(({ start, end, text, words }) => {
    const lines = wrap(text);
    if (lines.length <= LINES_PER_CUE || words.length === 0) return lines.length ? [cue(start, end, lines)] : [];
    return cut(words);
  });
}

function cut(words) {
  const found = [];
  let kept = [];
  const close = () => {
    if (kept.length) found.push(cue(kept[0].start, kept.at(-1).end, wrap(textOf(kept))));
  };
  for (const word of words) {
    if (kept.length && wrap(textOf([...kept, word])).length > LINES_PER_CUE) {
      close();
      kept = [];
    }
    kept.push(word);
  }
  close();
  return found;
}

const textOf = (words) => words.map(({ word }) => word.trim()).join(' ');

const cue = (start, end, lines) => ({ start, end: Math.max(end, start + SHORTEST_CUE_S), lines });

/** Lines of at most LINE_CHARS; two lines come out about equal. */
function wrap(text) {
  const words = text.split(/\s+/).filter(Boolean);
  const lines = [];
  for (const word of words) {
    const last = lines.length - 1;
    if (last >= 0 && length(lines[last]) + 1 + length(word) <= LINE_CHARS) lines[last] += ` ${word}`;
    else lines.push(word);
  }
  if (lines.length !== LINES_PER_CUE) return lines;
  let best = null;
  for (let split = 1; split < words.length; split += 1) {
    const pair = [words.slice(0, split).join(' '), words.slice(split).join(' ')];
    const widest = Math.max(...pair.map(length));
    if (best === null || widest < best.widest) best = { pair, widest };
  }
  return best.pair;
}

const length = (line) => [...line].length;

function stamp(seconds, point) {
  const all = Math.round(seconds * 1000);
  const pad = (value, width) => String(value).padStart(width, '0');
  const [hours, minutes, whole] = [Math.floor(all / 3_600_000), Math.floor(all / 60_000) % 60, Math.floor(all / 1000) % 60];
  return `${pad(hours, 2)}:${pad(minutes, 2)}:${pad(whole, 2)}${point}${pad(all % 1000, 3)}`;
}
