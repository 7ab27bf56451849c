// Making elements without innerHTML: the page's policy forbids turning text into HTML.

const SVG = 'http://www.w3.org/2000/svg';

/**
 * Make an element.
 * @param {string} tag  name, with classes after dots: 'span.word.unsure'
 * @param {object} properties  DOM properties; `on` holds listeners, `data` the dataset, `aria` ARIA attributes
 * @param {...(Node|string|null|undefined)} children
 */
export function element(tag, properties = {}, ...children) {
  const [name, ...classes] = tag.split('.');
  const made = document.createElement(name);
  made.classList.add(...classes);
  const { on = {}, data = {}, aria = {}, role, ...rest } = properties;
  Object.assign(made, rest);
  Object.assign(made.dataset, data);
  if (role) made.setAttribute('role', role);
  for (const [key, value] of Object.entries(aria)) made.setAttribute(`aria-${key}`, value);
  for (const [event, listener] of Object.entries(on)) made.addEventListener(event, listener);
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

const ICONS = {
  play: { d: 'M8 5.2v13.6L19 12z', filled: true },
  pause: { d: 'M7 5h3.6v14H7zM13.4 5H17v14h-3.6z', filled: true },
  close: { d: 'M6 6l12 12M18 6L6 18' },
  copy: { d: 'M9 9h10v11H9zM15 9V4H5v11h4' },
  check: { d: 'M5 12.5l4.5 4.5L19 7.5' },
  edit: { d: 'M4 20l1-4L16 5l3 3L8 19zM14 7l3 3' },
  retry: { d: 'M20 12a8 8 0 1 1-2.4-5.7M20 3v4.5h-4.5' },
};

/** A line drawing of 24 units that takes the colour of the text around it. */
export function icon(name) {
  const { d, filled } = ICONS[name];
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  svg.classList.add('icon');
  if (filled) svg.classList.add('filled');
  const path = document.createElementNS(SVG, 'path');
  path.setAttribute('d', d);
  svg.append(path);
  return svg;
}

/** Offer bytes as a download. */
export function download(name, type, content) {
  const address = URL.createObjectURL(new Blob([content], { type }));
  element('a', { href: address, download: name }).click();
  // The browser reads the address after the click has returned.
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
