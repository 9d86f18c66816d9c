// The command line of vmi86: words in, checked options out. Reads no file and knows no machine.
// Statuses and spellings here are the documented interface (README).

import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { RAM_MAX } from '../../assembly/shared/layout';
import { UserError } from '../errors';
import { FACE_DEFAULT, FACE_NAMES, type FaceName } from '../paravirt/face';
import { TRACE_CHANNELS, type TraceChannel } from '../trace';
import { VMI_OPTIONS, type VmiOptions } from '../vmi/options';

export const EXIT_USAGE = 2;
export const EXIT_TIMEOUT = 3;
export const EXIT_DEAD = 4;

export interface DiskArgument {
  path: string;
  readonly: boolean;
}

export interface Arguments {
  kernel: string;
  initrd?: string;
  append: string;
  unpack: boolean;
  /** MiB. */
  memory: number;
  disk?: DiskArgument;
  jit: boolean;
  clock: 'host' | 'virtual';
  expect?: RegExp;
  /** Seconds. */
  timeout?: number;
  stats?: string;
  translations?: string;
  trace: TraceChannel[];
  paravirt: FaceName;
  vmi: VmiOptions;
}

/** What to print instead of running: --help or --version. */
export interface Answer {
  answer: string;
}

export const MEMORY_DEFAULT = 256;
export const MEMORY_MIN = 16;
export const MEMORY_MAX = RAM_MAX / 2 ** 20;

// QEMU's spellings. A value that itself starts with one of these words is not touched, because
// only words in an option's place are looked at.
const QEMU_WITH_VALUE: Record<string, string> = {
  '-kernel': '--kernel',
  '-initrd': '--initrd',
  '-append': '--append',
  '-m': '--memory',
};
const QEMU_IGNORED = new Set(['-nographic', '-no-reboot']);

const WITH_VALUE = new Set([
  '--kernel',
  '--initrd',
  '--append',
  '--memory',
  '--disk',
  '--clock',
  '--expect',
  '--timeout',
  '--stats',
  '--translations',
  '--trace',
  '--paravirt',
  '--vmi',
]);

const VMI_WORDS = VMI_OPTIONS.map((option) => `no-${option}`);

/** Throws UserError for anything that is not a command line of vmi86. */
export function parseArguments(words: string[], version: string): Arguments | Answer {
  let answer = '';
  const command = new Command('vmi86')
    .description('Boots an i386 operating system, translated into WebAssembly while it runs.')
    .usage('--kernel FILE [options]')
    .version(version)
    .helpOption('-h, --help', 'show this help')
    .option('--kernel <file>', 'Linux bzImage, or multiboot ELF')
    .option('--initrd <file>', 'initial root file system, or multiboot module')
    .option('--append <string>', 'kernel command line', '')
    .option('--no-unpack', 'let the guest unpack its kernel itself')
    .addOption(
      new Option('--memory <mib>', 'memory of the guest in MiB')
        .argParser(parseMemory)
        .default(MEMORY_DEFAULT),
    )
    .addOption(
      new Option('--disk <file>', 'raw image as IDE disk; FILE,readonly refuses writes').argParser(
        parseDisk,
      ),
    )
    .option('--no-jit', 'interpret only')
    .addOption(
      new Option('--clock <which>', 'host time, or time that follows instructions')
        .choices(['host', 'virtual'])
        .default('host'),
    )
    .addOption(
      new Option('--expect <regex>', 'exit 0 as soon as the serial output matches').argParser(
        parseRegex,
      ),
    )
    .addOption(new Option('--timeout <seconds>', 'exit 3 after that time').argParser(parseSeconds))
    .option('--stats <file>', 'write statistics as JSON when the run ends')
    .option('--translations <file>', 'use what earlier runs have translated, and add to it')
    .addOption(
      new Option('--trace <kinds>', `trace to stderr: ${TRACE_CHANNELS.join(',')}`)
        .argParser(parseTrace)
        .default([], 'nothing'),
    )
    .addOption(
      new Option('--paravirt <face>', 'hypervisor that the guest is shown')
        .choices(FACE_NAMES)
        .default(FACE_DEFAULT),
    )
    .addOption(
      new Option('--vmi <list>', `leave out of VMI: ${VMI_WORDS.join(',')}`)
        .argParser(parseVmi)
        .default({}, 'nothing'),
    )
    .allowExcessArguments(false)
    .showSuggestionAfterError(false)
    .exitOverride()
    .configureOutput({ writeOut: (text) => (answer += text), writeErr: () => {} })
    .addHelpText('after', HELP_TAIL);

  try {
    command.parse(fromQemu(words), { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return { answer };
    throw describe(error.message);
  }
  const options = command.opts<Arguments>();
  if (!options.kernel) {
    throw new UserError(
      '--kernel',
      'is missing; give a Linux bzImage or multiboot ELF, as in vmi86 --kernel bzImage',
    );
  }
  return options;
}

const HELP_TAIL = `
The guest's first serial port is stdin and stdout. Ctrl-A x quits, Ctrl-A h lists the keys.
QEMU's -kernel -initrd -append -m -nographic are understood.
Exit status: 0 the guest powered off or --expect matched; 2 wrong argument or unusable file;
3 timeout; 4 the guest cannot go on.`;

function fromQemu(words: string[]): string[] {
  const out: string[] = [];
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    if (QEMU_IGNORED.has(word)) continue;
    const spelled = Object.hasOwn(QEMU_WITH_VALUE, word) ? QEMU_WITH_VALUE[word]! : word;
    // A kernel command line may begin with a dash; commander takes NAME=VALUE unseen.
    if (WITH_VALUE.has(spelled) && i + 1 < words.length) out.push(`${spelled}=${words[++i]}`);
    else if (spelled.startsWith('-')) out.push(spelled);
    else throw new UserError(word, 'no option before it; files are given as --kernel FILE');
  }
  return out;
}

function parseMemory(text: string): number {
  const match = /^(?:size=)?(\d+)([MGmg]?)$/.exec(text);
  if (!match) throw new InvalidArgumentError('give a whole number of MiB, as in --memory 256');
  const mib = Number(match[1]) * (/g/i.test(match[2]!) ? 1024 : 1);
  if (mib < MEMORY_MIN || mib > MEMORY_MAX) {
    throw new InvalidArgumentError(`give between ${MEMORY_MIN} and ${MEMORY_MAX} MiB`);
  }
  return mib;
}

function parseDisk(text: string): DiskArgument {
  const readonly = text.endsWith(',readonly');
  const path = readonly ? text.slice(0, -',readonly'.length) : text;
  if (!path) throw new InvalidArgumentError('give the path of a raw disk image');
  return { path, readonly };
}

function parseRegex(text: string): RegExp {
  try {
    return new RegExp(text, 'm');
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/^.*: /, '') : '';
    throw new InvalidArgumentError(`${reason}; give a JavaScript regular expression`);
  }
}

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (!/^[\d.]+$/.test(text) || !(seconds > 0)) {
    throw new InvalidArgumentError('give a number of seconds above 0');
  }
  return seconds;
}

function parseTrace(text: string): TraceChannel[] {
  return text.split(',').map((word) => {
    const trace = TRACE_CHANNELS.find((name) => name === word);
    if (!trace) throw new InvalidArgumentError(`give some of ${TRACE_CHANNELS.join(',')}`);
    return trace;
  });
}

function parseVmi(text: string): VmiOptions {
  const options: VmiOptions = {};
  for (const word of text.split(',')) {
    const option = VMI_OPTIONS.find((name) => `no-${name}` === word);
    if (!option) throw new InvalidArgumentError(`give some of ${VMI_WORDS.join(',')}`);
    options[option] = false;
  }
  return options;
}

/** Commander's sentence as an error of ours. */
function describe(message: string): UserError {
  const text = message.replace(/^error: /, '').replace(/\.$/, '');
  const see = 'vmi86 --help lists the options';
  const unknown = /^unknown option '(.*)'$/.exec(text);
  if (unknown) return new UserError(unknown[1]!, `unknown option; ${see}`);
  const missing = /^option '(--\S+) .*' argument missing$/.exec(text);
  if (missing) return new UserError(missing[1]!, `needs a value; ${see}`);
  const invalid = /^option '(--\S+) .*' argument '(.*)' is invalid\. (.*)$/s.exec(text);
  if (invalid) {
    const choices = /^Allowed choices are (.*)$/.exec(invalid[3]!)?.[1];
    const remedy = choices ? `give ${choices.replaceAll(', ', ' or ')}` : invalid[3]!;
    return new UserError(`${invalid[1]} ${invalid[2]}`, remedy);
  }
  return new UserError('arguments', `${text}; ${see}`);
}
