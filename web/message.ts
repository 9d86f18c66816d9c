/** What went wrong, where the reader is: a sentence, and for a dead guest its registers. */

import { element } from './elements';

export function showMessage(text: string, details = ''): void {
  element('message-text').textContent = text;
  const pre = element('message-details');
  pre.textContent = details;
  pre.hidden = details === '';
  element('message').hidden = false;
}

export function hideMessage(): void {
  element('message').hidden = true;
}

element('message-close').addEventListener('click', hideMessage);
