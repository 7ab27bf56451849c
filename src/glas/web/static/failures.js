// What went wrong, in human words with what to do about it.

const BY_CODE = {
  overloaded: 'errorBusy',
  invalid_api_key: 'errorKey',
  upload_too_large: 'errorTooLarge',
  audio_too_long: 'errorTooLong',
  audio_format_unsupported: 'errorFormat',
  audio_empty: 'errorEmpty',
  audio_no_sound_track: 'errorMute',
  audio_corrupt: 'errorCorrupt',
  audio_invalid: 'errorCorrupt',
  audio_decode_limit: 'errorHeavy',
  model_error: 'errorModel',
  model_unknown: 'errorModel',
  model_file_missing: 'errorModel',
  model_load_failed: 'errorModel',
  hub_unreachable: 'errorHub',
  conflict: 'errorConflict',
  forbidden: 'errorForbidden',
  service_timeout: 'errorTimeout',
  service_unreachable: 'errorOffline',
  service_stopping: 'errorOffline',
};
const BY_STATUS = {
  0: 'errorOffline',
  401: 'errorKey',
  413: 'errorTooLarge',
  500: 'errorInside',
  502: 'errorOffline',
  503: 'errorBusy',
  504: 'errorTimeout',
};

// Asked again, these give the same answer.
const FINAL = new Set(['errorTooLarge', 'errorTooLong', 'errorFormat', 'errorEmpty', 'errorMute', 'errorCorrupt', 'errorHeavy']);

// What was exceeded, as the server's own message tells it.
const LIMITS = {
  errorTooLarge: { pattern: /at most (\d+) MiB/, key: 'errorLimitMegabytes', divisor: 1 },
  errorTooLong: { pattern: /(?:longer than|at most) (\d+) s\b/, key: 'errorLimitMinutes', divisor: 60 },
};

const SHORTEST_WAIT_S = 1;
const LONGEST_WAIT_S = 120;
const USUAL_WAIT_S = 5;

/**
 * @param {import('./api.js').ApiError} error
 * @returns keys of the texts, the limit that was exceeded where it is known, whether trying again makes sense, and after how many seconds we do it ourselves
 */
export function explain(error) {
  const title = BY_CODE[error.code] ?? BY_STATUS[error.status] ?? 'errorOther';
  const busy = title === 'errorBusy';
  const asked = error.retryAfter ?? USUAL_WAIT_S;
  return {
    title,
    advice: `${title}Do`,
    limit: limitOf(title, error.message),
    asksForKey: title === 'errorKey',
    canRetry: !FINAL.has(title),
    retryAfter: busy ? Math.min(Math.max(Math.ceil(asked), SHORTEST_WAIT_S), LONGEST_WAIT_S) : null,
    // Where our words are vague the server's own are shown at once, else on request.
    vague: title === 'errorOther',
  };
}

function limitOf(title, message) {
  const { pattern, key, divisor } = LIMITS[title] ?? {};
  const found = pattern?.exec(message);
  return found ? { key, values: { limit: Number(found[1]) / divisor } } : null;
}
