// The loudness of a recording over time, decoded by the browser.

const RATE_HZ = 8_000; // enough to draw, and a sixth of the memory of the usual rate
const COUNT = 800; // more bars than the widest card shows
// A compressed file of this size is about an hour of speech; decoded it would already fill 100 MB.
const LARGEST_BYTES = 16 * 1024 * 1024;

/** @returns {Promise<{duration: number, peaks: Float32Array} | null>}  null if the browser cannot read the file */
export async function peaksOf(file) {
  if (file.size > LARGEST_BYTES) return null;
  try {
    const context = new OfflineAudioContext(1, 1, RATE_HZ);
    const sound = await context.decodeAudioData(await file.arrayBuffer());
    return { duration: sound.duration, peaks: loudest(sound.getChannelData(0)) };
  } catch {
    return null;
  }
}

function loudest(samples) {
  const peaks = new Float32Array(COUNT);
  let highest = 0.02; // so that the hiss of an empty recording does not fill the picture
  for (let index = 0; index < COUNT; index += 1) {
    const from = Math.floor((index * samples.length) / COUNT);
    const to = Math.floor(((index + 1) * samples.length) / COUNT);
    for (let at = from; at < to; at += 1) peaks[index] = Math.max(peaks[index], Math.abs(samples[at]));
    highest = Math.max(highest, peaks[index]);
  }
  return peaks.map((peak) => peak / highest);
}
