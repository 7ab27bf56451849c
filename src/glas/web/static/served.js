// The models that a recording can be recognised with, and their names in words.

import { servedModels } from './api.js';
import { current } from './language.js';

const LISTED_MS = 5_000;
let listed = null;

/** The models, asked for once for all cards that appear together. */
export function served() {
  if (!listed) {
    listed = servedModels();
    setTimeout(() => (listed = null), LISTED_MS);
  }
  return listed;
}

/** The name of a model in the language of the page; its id, if it is not among them. */
export const titleOf = (models, id) => models.find((model) => model.id === id)?.title?.[current()] ?? id;
