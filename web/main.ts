/** The page: what is chosen, the machine that runs, and who shows it. */

import './style.css';
import { createMachine } from '../host/embed/browser';
import type { CreateOptions, Progress, VirtualMachine } from '../host/embed/types';
import { element, setText } from './elements';
import { kindOf, type Kind } from './files';
import { guestFromAddress, guestFromFiles, listGuests, type Guest } from './guests';
import { hideMessage, showMessage } from './message';
import { attachPanel } from './panel';
import { race } from './race';
import { attachRegions } from './regions';
import { attachScreen } from './screen';
import { SerialTerminal } from './terminal';

const select = (id: string): HTMLSelectElement => element<HTMLSelectElement>(id);
const button = (id: string): HTMLButtonElement => element<HTMLButtonElement>(id);

const query = new URLSearchParams(location.search);
const terminal = new SerialTerminal(element('serial'), 'Serial line of the guest');
const guests: Guest[] = [];
/** Files that were dropped without a kernel, for the one that follows. */
const kept: Partial<Record<Kind, File>> = {};
let machine: VirtualMachine | undefined;
let loading: AbortController | undefined;

// --- Guests ---------------------------------------------------------------------------------------

function addGuest(guest: Guest): void {
  guests.push(guest);
  select('guest').append(new Option(guest.name, String(guests.length - 1)));
}

function chooseGuest(index: number): void {
  const guest = guests[index]!;
  select('guest').value = String(index);
  if (guest.memory !== undefined) select('memory').value = String(guest.memory);
  if (guest.paravirt !== undefined) select('face').value = guest.paravirt;
}

function optionsFor(guest: Guest): CreateOptions {
  const { kernel, initrd, disk, append, translations } = guest;
  return {
    kernel,
    ...(initrd !== undefined && { initrd }),
    ...(disk !== undefined && { disk }),
    ...(append !== undefined && { append }),
    ...(translations !== undefined && { translations }),
    memory: Number(select('memory').value),
    paravirt: select('face').value as NonNullable<CreateOptions['paravirt']>,
    jit: select('tier').value === 'jit',
  };
}

// --- The machine ----------------------------------------------------------------------------------

async function boot(): Promise<void> {
  hideMessage();
  loading?.abort();
  const abort = (loading = new AbortController());
  await leave();
  const guest = guests[Number(select('guest').value)]!;
  showState('loading');
  setText('doing', guest.name);
  const progress = new Map<string, Progress>();
  try {
    const made = await createMachine({
      ...optionsFor(guest),
      worker: true,
      inspect: true,
      signal: abort.signal,
      on: {
        progress: (event) => {
          progress.set(event.image, event);
          showProgress([...progress.values()]);
        },
        state: showState,
        failure: ({ reason, registers }) =>
          showMessage(`The guest cannot go on: ${reason}. Reset boots it again.`, registers),
        reset: () => setText('doing', `${guest.name}, reset by the guest`),
      },
    });
    if (abort.signal.aborted) {
      await made.destroy();
      return;
    }
    machine = made;
    terminal.attach(made);
    attachPanel(made);
    attachScreen(made);
    attachRegions(made);
    made.run();
    if (!element('serial').hidden) terminal.terminal.focus();
  } catch (error) {
    if (abort.signal.aborted) return;
    showState('not booted');
    showMessage(`${guest.name} cannot be booted. ${(error as Error).message}`);
  } finally {
    element('progress').classList.add('done');
  }
}

async function leave(): Promise<void> {
  const old = machine;
  machine = undefined;
  terminal.detach();
  attachPanel(undefined);
  attachScreen(undefined);
  attachRegions(undefined);
  await old?.destroy();
}

function showProgress(events: Progress[]): void {
  const bar = element<HTMLProgressElement>('progress');
  bar.classList.remove('done');
  const loaded = events.reduce((sum, event) => sum + event.loaded, 0);
  const total = events.reduce((sum, event) => sum + (event.total ?? event.loaded * 2), 0);
  bar.value = total === 0 ? 0 : loaded / total;
}

function showState(state: string): void {
  if (state === 'destroyed') return;
  setText('state', state);
  document.body.dataset['state'] = state;
  const there = state !== 'loading' && state !== 'not booted';
  button('pause').disabled = state !== 'running' && state !== 'paused';
  button('pause').textContent = state === 'paused' ? 'Go on' : 'Pause';
  button('reset').disabled = !there;
  button('power').disabled = state !== 'running';
}

// --- Controls -------------------------------------------------------------------------------------

element('controls').addEventListener('submit', (event) => {
  event.preventDefault();
  void boot();
});
select('guest').addEventListener('change', () => chooseGuest(Number(select('guest').value)));
button('pause').addEventListener('click', () => {
  if (machine?.state === 'paused') machine.run();
  else machine?.pause();
});
button('reset').addEventListener('click', () => {
  hideMessage();
  machine?.reset();
});
button('power').addEventListener('click', () => machine?.powerButton());
button('race').addEventListener('click', () => {
  machine?.pause();
  const guest = guests[Number(select('guest').value)]!;
  void race(select('race-kind').value, guest, optionsFor(guest));
});
button('copy').addEventListener('click', () => {
  const text = element('vga').hidden ? terminal.text() : (element('vga').textContent ?? '');
  navigator.clipboard.writeText(text).then(
    () => setText('doing', 'copied'),
    () => showMessage('The browser does not let this page copy. Select the text, then copy it.'),
  );
});
element<HTMLInputElement>('reader').addEventListener('change', (event) => {
  terminal.terminal.options.screenReaderMode = (event.target as HTMLInputElement).checked;
});

const TABS = ['serial', 'vga'];
function showTab(name: string): void {
  for (const tab of TABS) {
    const on = tab === name;
    element(tab).hidden = !on;
    element(`tab-${tab}`).setAttribute('aria-selected', String(on));
    element(`tab-${tab}`).tabIndex = on ? 0 : -1;
  }
}
for (const tab of TABS) {
  element(`tab-${tab}`).addEventListener('click', () => showTab(tab));
  element(`tab-${tab}`).addEventListener('keydown', (event) => {
    if (event.key !== 'ArrowLeft' && event.key !== 'ArrowRight') return;
    const other = TABS.find((one) => one !== tab)!;
    showTab(other);
    element(`tab-${other}`).focus();
  });
}

// --- Files ----------------------------------------------------------------------------------------

async function take(files: Iterable<File>): Promise<void> {
  hideMessage();
  for (const file of files) {
    const found = await kindOf(file);
    if ('problem' in found) {
      showMessage(found.problem);
      return;
    }
    kept[found.kind] = file;
  }
  const { kernel, initrd, disk } = kept;
  if (!kernel) {
    const have = [initrd && 'initrd', disk && 'disk image'].filter(Boolean).join(' and ');
    showMessage(`The ${have} will go with a kernel. Drop its kernel, too.`);
    return;
  }
  for (const kind of Object.keys(kept)) delete kept[kind as Kind];
  addGuest(guestFromFiles({ kernel, ...(initrd && { initrd }), ...(disk && { disk }) }));
  chooseGuest(guests.length - 1);
  await boot();
}

element<HTMLInputElement>('files').addEventListener('change', (event) => {
  const input = event.target as HTMLInputElement;
  const files = [...(input.files ?? [])];
  input.value = '';
  if (files.length > 0) void take(files);
});
addEventListener('dragover', (event) => {
  event.preventDefault();
  document.body.classList.add('dropping');
});
addEventListener('dragleave', (event) => {
  if (event.relatedTarget === null) document.body.classList.remove('dropping');
});
addEventListener('drop', (event) => {
  event.preventDefault();
  document.body.classList.remove('dropping');
  const files = [...(event.dataTransfer?.files ?? [])];
  if (files.length > 0) void take(files);
  else showMessage('That was no file. Drop a kernel, an initrd or a disk image from your disk.');
});

// --- Start ----------------------------------------------------------------------------------------

for (const guest of await listGuests()) addGuest(guest);
const named = guestFromAddress(query);
if (named) addGuest(named);
const wanted = query.get('guest');
const index = named
  ? guests.length - 1
  : Math.max(
      0,
      guests.findIndex(({ name }) => wanted !== null && name.includes(wanted)),
    );
chooseGuest(index);
for (const [name, id] of Object.entries({ memory: 'memory', paravirt: 'face', tier: 'tier' })) {
  const value = query.get(name);
  const known = [...select(id).options].some((option) => option.value === value);
  if (value !== null && known) select(id).value = value;
}
await boot();
