// Requests of the pages for which people sign in: with the token of the session, and back to sign-in where it has ended.

/** What the server refused, or that it did not answer: then `status` is 0. `said` is a sentence for people. */
export class Refusal extends Error {
  constructor({ status = 0, code = '', said = '' }) {
    super(said || code);
    Object.assign(this, { status, code, said });
  }
}

const token = () => document.querySelector('meta[name="glas-form-token"]').content;

/**
 * Ask the server.
 *
 * @param {string} path
 * @param {{method?: string, body?: object}} options  `body` is sent as JSON
 * @returns {Promise<Response>}
 */
export async function ask(path, { method = 'GET', body } = {}) {
  const headers = { 'X-Form-Token': token() };
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  let answer;
  try {
    answer = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  } catch {
    throw new Refusal({});
  }
  if (answer.ok) return answer;
  if (answer.status === 401) location.assign('/sign-in');
  const told = await answer.json().catch(() => ({}));
  throw new Refusal({ status: answer.status, code: told.error?.code, said: told.said });
}

/** The same, for an answer in JSON. */
export const askJson = async (path, options) => (await ask(path, options)).json();
