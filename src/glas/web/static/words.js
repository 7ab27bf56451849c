// Which words two texts have in common.

// Beyond this many pairs of words a table of them is too large; the words in the middle then count as different.
const LARGEST_TABLE = 4_000_000;

/** A word without what does not count: case, punctuation, the dots of «ё». */
export const plain = (word) => word.toLowerCase().replaceAll('ё', 'е').replace(/[^\p{L}\p{N}]/gu, '');

/** Pairs [index in a, index in b] of a longest common subsequence. */
export function anchors(a, b) {
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

/** The places of the words of each text that the other one does not have: [Set, Set]. */
export function differences(one, other) {
  const [a, b] = [one.map(plain), other.map(plain)];
  const pairs = anchors(a, b);
  const without = (words, common) => new Set([...words.keys()].filter((place) => words[place] && !common.has(place)));
  return [without(a, new Set(pairs.map(([i]) => i))), without(b, new Set(pairs.map(([, j]) => j)))];
}
