/** Hot regions: the most entered translations, guest code beside what was made of it. */

import type { VirtualMachine } from '../host/embed/types';
import { wat } from './wat';
import { element, grouped } from './elements';
import { showMessage } from './message';

const SHOWN = 50;

let machine: VirtualMachine | undefined;

export function attachRegions(next: VirtualMachine | undefined): void {
  machine = next;
  element<HTMLSelectElement>('region').replaceChildren();
  element<HTMLSelectElement>('region').disabled = true;
  element('code').hidden = true;
}

async function look(): Promise<void> {
  const regions = (await machine?.translator.regions()) ?? [];
  const select = element<HTMLSelectElement>('region');
  select.disabled = regions.length === 0;
  if (regions.length === 0) {
    showMessage(
      'Nothing is translated yet: code is translated when it has run often, and not at all in the ' +
        'interpreter. Let the guest do something, then look again.',
    );
    return;
  }
  select.replaceChildren(
    ...regions.slice(0, SHOWN).map(({ id, address, instructions, entered }) => {
      const at = address.toString(16).padStart(8, '0');
      const text = `${at}: ${instructions} instructions, entered ${grouped(entered)} times`;
      return new Option(text, String(id));
    }),
  );
  await showRegion();
}

async function showRegion(): Promise<void> {
  const id = Number(element<HTMLSelectElement>('region').value);
  const region = await machine?.translator.region(id);
  if (!region) {
    showMessage('That region is gone, its code was changed or evicted. Look again.');
    return;
  }
  element('assembly').textContent = region.code.map(({ text }) => text).join('\n\n');
  element('wat').textContent = await wat(region);
  element('code').hidden = false;
}

function attempt(action: () => Promise<void>): void {
  action().catch((error: Error) => showMessage(`Hot regions cannot be shown: ${error.message}`));
}

element('look').addEventListener('click', () => attempt(look));
element('region').addEventListener('change', () => attempt(showRegion));
