// The API of nn_service at this origin: one recording in, pieces of text out as they are heard.

import { apiKey } from './key.js';

const TRANSCRIPTIONS = '/v1/audio/transcriptions';
const STREAMED = { response_format: 'verbose_json', 'timestamp_granularities[]': 'word,segment', stream: true };

/** What went wrong, as the server told it; `status` 0 means that nobody answered. */
export class ApiError extends Error {
  constructor({ status = 0, code = '', message = '', retryAfter = null }) {
    super(message);
    Object.assign(this, { status, code, retryAfter });
  }
}

const authorization = () => (apiKey() ? { Authorization: `Bearer ${apiKey()}` } : {});

async function ask(address, method = 'GET', body = null, signal = null) {
  const headers = authorization();
  const isForm = body instanceof FormData; // whose type the browser writes, with the boundary
  if (body && !isForm) headers['Content-Type'] = 'application/json';
  let answer;
  try {
    answer = await fetch(address, { method, headers, body: isForm ? body : body && JSON.stringify(body), signal });
  } catch {
    throw new ApiError({});
  }
  if (!answer.ok) throw errorOf(answer.status, await answer.text(), answer.headers.get('Retry-After'));
  return answer;
}

const json = async (address) => (await ask(address)).json();

export const health = () => json('/health');
export const samples = () => json('/samples');

/** All models that are known by name, the best one first. Only administrators are answered. */
export const offeredModels = async () => (await json('/api/models')).models;

/** The models that a recording can be recognised with, the default one first; none where the server does not tell. */
export const servedModels = async () => (await json('/v1/models').catch(() => ({ data: [] }))).data;

/** Let a model be fetched, unless it is on disk, and serve; `offeredModels` tells how far it is. */
export const fetchAndServe = ({ id }) => ask(`/api/fetches/${id}`, 'POST', { serve: true });

/** End the fetch of a model. */
export const stopFetch = ({ id }) => ask(`/api/fetches/${id}`, 'DELETE');

/**
 * Subtitles of a transcript, which a person may have corrected: the server has the rules.
 *
 * @param {'srt' | 'vtt'} format
 */
export async function subtitles(format, { segments }) {
  const timed = segments.map(({ start, end, text, words }) => ({
    start,
    end,
    text,
    words: words.map((word) => ({ word: word.word, start: word.start, end: word.end })),
  }));
  return (await ask('/v1/subtitles', 'POST', { format, segments: timed })).text();
}

/** A sample as a file. */
export async function sampleFile({ name }) {
  const blob = await (await ask(`/samples/${encodeURIComponent(name)}`)).blob();
  return new File([blob], name, { type: blob.type });
}

/** The text of a recording, or 503 as soon as anybody waits for another text. */
export async function textWhenIdle(file, signal) {
  const form = formOf(file, { response_format: 'json', when_idle: true });
  return (await (await ask(TRANSCRIPTIONS, 'POST', form, signal)).json()).text;
}

/**
 * Recognise one recording.
 *
 * XMLHttpRequest, because fetch cannot tell how much of a body has been sent.
 *
 * @param {File} file
 * @param {object} options  `model` (the default one if missing), `onUpload(share)` with 0..1, `onDelta(event)` per
 *   piece of speech, `signal` to give up
 * @returns {Promise<object>} the whole answer (OpenAI's verbose_json and our fields)
 */
export function recognise(file, { model = 'auto', onUpload, onDelta, signal }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    let result = null;
    let failure = null;
    const events = new EventReader((event) => {
      if (event.error) failure = new ApiError({ status: 500, ...event.error });
      else if (event.type === 'transcript.text.delta') onDelta(event);
      else if (event.type === 'transcript.text.done') result = event.result;
    });

    request.upload.addEventListener('progress', ({ loaded, total }) => onUpload(total ? loaded / total : 0));
    request.upload.addEventListener('load', () => onUpload(1));
    request.addEventListener('progress', () => {
      if (request.status === 200) events.read(request.responseText);
    });
    request.addEventListener('error', () => reject(new ApiError({})));
    request.addEventListener('abort', () => reject(new DOMException('given up', 'AbortError')));
    request.addEventListener('load', () => {
      if (request.status !== 200) {
        reject(errorOf(request.status, request.responseText, request.getResponseHeader('Retry-After')));
        return;
      }
      events.read(request.responseText);
      // A stream that ends without a last word was cut: the server stopped or the line broke.
      if (result) resolve(result);
      else reject(failure ?? new ApiError({}));
    });
    signal.addEventListener('abort', () => request.abort());

    request.open('POST', TRANSCRIPTIONS);
    for (const [header, value] of Object.entries(authorization())) request.setRequestHeader(header, value);
    request.send(formOf(file, { ...STREAMED, model }));
  });
}

function formOf(file, fields) {
  const form = new FormData();
  for (const [name, value] of Object.entries({ model: 'auto', ...fields })) form.append(name, value);
  form.append('file', file, file.name);
  return form;
}

function errorOf(status, body, retryAfter) {
  let told = {};
  try {
    told = JSON.parse(body).error ?? {};
  } catch {
    // a proxy between us and the server may answer in HTML
  }
  const seconds = Number(retryAfter);
  return new ApiError({
    status,
    code: told.code ?? '',
    message: told.message ?? '',
    retryAfter: retryAfter !== null && Number.isFinite(seconds) ? seconds : null,
  });
}

/** Reads server-sent events out of a text that grows. */
class EventReader {
  #seen = 0;
  #onEvent;

  constructor(onEvent) {
    this.#onEvent = onEvent;
  }

  read(whole) {
    for (;;) {
      const end = whole.indexOf('\n\n', this.#seen);
      if (end < 0) return;
      const block = whole.slice(this.#seen, end);
      this.#seen = end + 2;
      const data = block
        .split('\n')
        .filter((line) => line.startsWith('data:'))
        .map((line) => line.slice(5).trimStart())
        .join('\n');
      if (data && data !== '[DONE]') this.#onEvent(JSON.parse(data));
    }
  }
}
