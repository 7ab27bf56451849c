// Few recordings at a time: the server has a queue of its own, and a phone's line is narrow.

const AT_ONCE = 2;

let running = 0;
const waiting = [];

/** Run a job when its turn comes; a job whose signal was aborted meanwhile is not begun. */
export async function inTurn(job, signal) {
  if (running >= AT_ONCE) await new Promise((resolve) => waiting.push(resolve));
  else running += 1;
  try {
    signal.throwIfAborted();
    return await job();
  } finally {
    // The place goes to the next in line, or becomes free.
    const next = waiting.shift();
    if (next) next();
    else running -= 1;
  }
}
