// Results that stay in this browser, so that they are there again when the page is loaded again.

const DATABASE = 'glas-results';
const STORE = 'results';
const LARGEST_SOUND = 32 * 1024 * 1024; // bytes; of a larger recording only the text is kept
const MOST = 100; // results; older ones are dropped

let opened = null;

function open() {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.addEventListener('upgradeneeded', () => request.result.createObjectStore(STORE, { keyPath: 'id' }));
    request.addEventListener('success', () => {
      // Whoever deletes the whole database, in another tab or in the browser's settings, need not wait for this page.
      request.result.addEventListener('versionchange', () => request.result.close());
      resolve(request.result);
    });
    request.addEventListener('error', () => reject(request.error));
  });
  return opened;
}

async function ask(mode, work) {
  const database = await open();
  return new Promise((resolve, reject) => {
    const transaction = database.transaction(STORE, mode);
    const request = work(transaction.objectStore(STORE));
    transaction.addEventListener('complete', () => resolve(request.result));
    transaction.addEventListener('abort', () => reject(transaction.error));
  });
}

/** Do something with the store; false where the browser has none, forbids it, or has no room. */
async function attempt(work) {
  try {
    await ask('readwrite', work);
    return true;
  } catch {
    return false;
  }
}

/**
 * Keep a result, or its new state.
 *
 * @param {{id: string, order: number[], name: string, file: File | null, reference: string | null, result: object,
 *          transcript: object}} record  `order` is the time at which it was chosen, and its place among its neighbours
 * @returns {Promise<boolean>}  whether its text will be there again
 */
export async function keep(record) {
  const isLight = record.file !== null && record.file.size <= LARGEST_SOUND;
  if (isLight && (await attempt((store) => store.put(record)))) return true;
  return attempt((store) => store.put({ ...record, file: null }));
}

export const forget = ({ id }) => attempt((store) => store.delete(id));

export const forgetAll = () => attempt((store) => store.clear());

/** What is kept, in the order of the page: the newest first, and of those chosen together the first one. */
export async function kept() {
  let found;
  try {
    found = await ask('readonly', (store) => store.getAll());
  } catch {
    return [];
  }
  found.sort((one, other) => other.order[0] - one.order[0] || one.order[1] - other.order[1]);
  for (const old of found.slice(MOST)) forget(old);
  return found.slice(0, MOST);
}
