// vmi86, the command: arguments, files, one machine, one run, and an exit status. Everything it says
// itself goes to stderr; stdout is the guest's serial line.

import { existsSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';
import { version } from '../../package.json';
import { UserError } from '../errors';
import { Machine } from '../machine';
import { describeEnd } from '../past';
import { FileDisk, hostNow, readBytes, reasonOf, Terminal } from '../platform/node';
import { createTrace } from '../trace';
import { EXIT_DEAD, EXIT_USAGE, parseArguments } from './arguments';
import {
  allocateAllRegistersWell,
  heedBranchHints,
  leaveOutStackChecks,
  preferThisThread,
} from './engine';
import { Run, signalStatus, type End } from './run';
import { statistics } from '../statistics';
import type { TranslationOptions } from '../translations';

/** sysexits.h EX_SOFTWARE: a bug of ours, no documented way for a run to end. */
const EXIT_BUG = 70;

const terminal = new Terminal();

async function main(words: string[]): Promise<number> {
  if (words[0] === 'bundle') return (await import('./bundle')).main(words.slice(1), terminal);
  const parsed = parseArguments(words, version);
  if ('answer' in parsed) {
    process.stdout.write(parsed.answer);
    return 0;
  }
  const options = parsed;
  preferThisThread();
  heedBranchHints();
  leaveOutStackChecks();
  const kernel = readArgument('--kernel', options.kernel, 'give a Linux bzImage or multiboot ELF');
  const initrd =
    options.initrd === undefined
      ? undefined
      : readArgument('--initrd', options.initrd, 'give an initial root file system');
  const disk = options.disk && openDisk(options.disk.path, options.disk.readonly);
  if (options.stats !== undefined) writeStats(options.stats, '');
  const translations =
    options.translations === undefined ? undefined : openTranslations(options.translations);

  const coreBytes = readBytes(fileURLToPath(new URL('core.wasm', import.meta.url)));
  const machine = await Machine.create({
    core: await WebAssembly.compile(coreBytes as Uint8Array<ArrayBuffer>),
    coreBytes,
    kernel,
    initrd,
    commandLine: options.append,
    unpack: options.unpack,
    memory: options.memory * 2 ** 20,
    disk,
    jit: options.jit,
    clock: options.clock,
    paravirt: options.paravirt,
    vmi: options.vmi,
    translations,
    translator: { beforeLarge: allocateAllRegistersWell },
    hostNow,
    trace: createTrace(options.trace, (line) => terminal.say(line)),
  });
  const run = new Run({
    machine,
    terminal,
    expect: options.expect,
    timeout: options.timeout,
  });
  const started = hostNow();
  const stats = (end?: End): void => {
    if (options.stats === undefined) return;
    const wall = (hostNow() - started) / 1e9;
    const object = { ended: end?.reason ?? null, wallSeconds: wall, ...statistics(machine) };
    writeStats(options.stats, JSON.stringify(object, null, 2) + '\n');
  };

  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      const status = signalStatus(constants.signals[signal]);
      run.interrupt({ status, reason: signal });
    });
  }
  process.on('SIGUSR2', () => stats());

  terminal.start();
  let end: End;
  try {
    end = await run.run();
  } finally {
    terminal.stop();
    disk?.close();
  }
  stats(end);
  if (options.translations !== undefined) saveTranslations(options.translations, machine);
  if (end.message) terminal.say(`vmi86: ${end.message}`);
  if (end.status === EXIT_DEAD) terminal.say(describeEnd(machine.cpu));
  return end.status;
}

function readArgument(argument: string, path: string, remedy: string): Uint8Array {
  try {
    return readBytes(path);
  } catch (error) {
    throw new UserError(`${argument} ${path}`, `${reasonOf(error)}; ${remedy}`);
  }
}

function openDisk(path: string, readonly: boolean): FileDisk {
  try {
    return FileDisk.open(path, readonly);
  } catch (error) {
    const remedy =
      !readonly &&
      ['EACCES', 'EPERM', 'EROFS'].includes((error as NodeJS.ErrnoException).code ?? '')
        ? 'make it writable, or give FILE,readonly'
        : 'give a raw disk image';
    throw new UserError(`--disk ${path}`, `${reasonOf(error)}; ${remedy}`);
  }
}

function writeStats(path: string, text: string): void {
  try {
    if (text) writeWhole(path, text);
    else writeFileSync(path, text);
  } catch (error) {
    throw new UserError(`--stats ${path}`, `${reasonOf(error)}; give a file that can be written`);
  }
}

/** What the file holds, which need not be there yet; what is wrong with it is said, and no reason to stop. */
function openTranslations(path: string): TranslationOptions {
  const onUnusable = (reason: string) =>
    terminal.say(`vmi86: --translations ${path} ${reason}; starting without, it will be replaced`);
  if (!existsSync(path)) return { keep: true, onUnusable };
  const file = readArgument('--translations', path, 'give a file, or a name for one');
  return { keep: true, file, onUnusable };
}

/** The run is over: a file that cannot be written is worth a line, not another exit status. */
function saveTranslations(path: string, machine: Machine): void {
  const file = machine.translations();
  if (!file || file === machine.translator?.saved?.file) return;
  try {
    writeWhole(path, file);
  } catch (error) {
    terminal.say(`vmi86: --translations ${path}: ${reasonOf(error)}; nothing was saved`);
  }
}

/** Whole or not at all: whoever waits for the file never reads half of it. */
function writeWhole(path: string, content: string | Uint8Array): void {
  const temporary = `${path}.${process.pid}`;
  try {
    writeFileSync(temporary, content);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

function fail(error: unknown): never {
  terminal.stop();
  if (error instanceof UserError) {
    terminal.say(`vmi86: ${error.message}`);
    process.exit(EXIT_USAGE);
  }
  const debug = process.env['VMI86_DEBUG'];
  const text = error instanceof Error ? ((debug && error.stack) ?? error.message) : String(error);
  terminal.say(`vmi86: bug: ${text}${debug ? '' : ' (VMI86_DEBUG=1 shows where)'}`);
  process.exit(EXIT_BUG);
}

process.on('uncaughtException', fail);
process.on('unhandledRejection', fail);

main(process.argv.slice(2)).then((status) => process.exit(status), fail);
