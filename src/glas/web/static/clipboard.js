// Putting words into the clipboard, on pages without TLS too.

/** True if it worked. */
export async function copy(words) {
  try {
    // Only secure pages have a clipboard object; others still know the old command.
    if (navigator.clipboard) {
      await navigator.clipboard.writeText(words);
      return true;
    }
  } catch {
    // forbidden: try the old command
  }
  const field = document.createElement('textarea');
  Object.assign(field, { value: words, readOnly: true, className: 'unseen' });
  document.body.append(field);
  field.select();
  const worked = document.execCommand('copy');
  field.remove();
  return worked;
}
