// The key of the API: asked for when the server wants one, kept as long as the tab lives.

import { say } from './language.js';

const KEY = 'glas-api-key';
let kept = '';
let asking = null;

export function apiKey() {
  try {
    return sessionStorage.getItem(KEY) ?? kept;
  } catch {
    return kept; // storage may be forbidden
  }
}

function keep(key) {
  kept = key;
  try {
    sessionStorage.setItem(KEY, key);
  } catch {
    // it then lasts as long as the page
  }
}

/** Ask for the key; several cards that ask at once get one dialog. True if a key was given. */
export function askForKey() {
  asking ??= ask().finally(() => {
    asking = null;
  });
  return asking;
}

function ask() {
  const dialog = document.getElementById('key');
  const field = document.getElementById('key-field');
  say(dialog.querySelector('p'), apiKey() ? 'keyWrong' : 'keyText');
  // Not a submit button: Enter would choose the first of those.
  document.getElementById('key-cancel').onclick = () => dialog.close('');
  field.value = '';
  dialog.returnValue = '';
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener(
      'close',
      () => {
        const given = dialog.returnValue === 'save' ? field.value.trim() : '';
        field.value = '';
        if (given) keep(given);
        document.dispatchEvent(new Event('keychange'));
        resolve(Boolean(given));
      },
      { once: true },
    );
  });
}
