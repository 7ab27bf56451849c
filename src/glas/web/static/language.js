// Which language the page speaks, how it writes numbers, and how shown texts follow a switch.

import { en } from './texts/en.js';
import { ru } from './texts/ru.js';

const TEXTS = { ru, en };
const KEY = 'glas-language';
const PLACES = /\{(\w+)\}/g;

let language = remembered();
// What a shown text was made from, so that a switch can make it again.
const bound = new WeakMap();

function remembered() {
  // Pages for which people sign in come in one language; only the first page has a switch.
  const told = document.documentElement.dataset.language;
  if (told) return told;
  try {
    const chosen = localStorage.getItem(KEY);
    if (chosen) return chosen === 'en' ? 'en' : 'ru';
  } catch {
    // storage may be forbidden
  }
  return preferred();
}

/** The browser's first language of ours; Russian where it has none. */
function preferred() {
  const known = navigator.languages.map((one) => one.slice(0, 2)).find((one) => Object.hasOwn(TEXTS, one));
  return known ?? 'ru';
}

export const current = () => language;

/** A text by its key; {places} are filled from `values`: words, numbers in the language's own writing, or functions. */
export function text(key, values = {}) {
  const found = TEXTS[language][key];
  if (found === undefined) throw new Error(`no text "${key}" in "${language}"`);
  return found.replace(PLACES, (_, place) => {
    const value = typeof values[place] === 'function' ? values[place]() : values[place];
    return typeof value === 'number' ? number(value) : String(value);
  });
}

/** A number of at most `digits` significant digits; long ones keep all of their whole part. */
export function number(value, digits = 2) {
  const options = Math.abs(value) >= 10 ? { maximumFractionDigits: 0 } : { maximumSignificantDigits: digits };
  return new Intl.NumberFormat(language, options).format(value);
}

/** What a language is called, by its ISO 639-1 code. */
export function languageName(code) {
  try {
    return new Intl.DisplayNames(language, { type: 'language' }).of(code) ?? code;
  } catch {
    return code; // not a code that the browser knows
  }
}

/** The plural category of a number as it is written: 'one', 'few', 'many', 'other'. */
export function plural(value, digits = 2) {
  const written = Math.abs(value) >= 10 ? Math.round(value) : Number(value.toPrecision(digits));
  return new Intl.PluralRules(language).select(written);
}

/** Write a text into an element, and again whenever the language changes. */
export const say = (target, key, values) => bind(target, key, values, writeText);

/** Give an element its name for those who cannot see it, and as a tooltip. */
export const name = (target, key, values) => bind(target, key, values, writeName);

/** Give an element a tooltip only. */
export const tip = (target, key, values) => bind(target, key, values, writeTip);

function bind(target, key, values = {}, write) {
  target.dataset.t = key;
  bound.set(target, { key, values, write });
  write(target, text(key, values));
  return target;
}

function writeText(target, words) {
  target.textContent = words;
}

function writeTip(target, words) {
  target.title = words;
}

function writeName(target, words) {
  target.setAttribute('aria-label', words);
  target.title = words;
}

/** Write all texts of the page anew. */
export function speak(wanted = null) {
  if (wanted) {
    language = wanted;
    try {
      localStorage.setItem(KEY, language);
    } catch {
      // the choice then lasts as long as the page
    }
  }
  document.documentElement.lang = language;
  document.title = text('pageTitle');
  for (const target of document.querySelectorAll('[data-t]')) {
    // Elements that the template wrote are not bound yet: the key stands in the attribute.
    const { key, values, write } = bound.get(target) ?? { key: target.dataset.t, values: {}, write: writeText };
    bind(target, key, values, write);
  }
  document.dispatchEvent(new Event('languagechange'));
}
