/** The packed tarball, and clean projects that it is installed in. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execFileSync } from '../lib/commands';
import { ECHO_UNTIL_Q, kernel, POWER_OFF, say } from '../lib/kernels';

export const root = fileURLToPath(new URL('../..', import.meta.url));
const require = createRequire(import.meta.url);

/** What every consumer boots: says hello, echoes until a Q, powers off. */
export const GUEST = kernel(...say('hello from the guest\n'), ...ECHO_UNTIL_Q, ...POWER_OFF);

export interface Workspace {
  folder: string;
  tarball: string;
  remove(): void;
}

/** Packs what dist/ has. */
export function pack(): Workspace {
  const folder = mkdtempSync(join(tmpdir(), 'vmi86-package-'));
  const words = ['pack', '--ignore-scripts', '--json', '--pack-destination', folder];
  const [{ filename }] = JSON.parse(npm(words, root)) as [{ filename: string }];
  return {
    folder,
    tarball: join(folder, filename),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** A clean project with the package installed from the tarball, and some files. */
export function project(
  { folder, tarball }: Workspace,
  name: string,
  files: Record<string, string | Uint8Array>,
): string {
  const path = join(folder, name);
  mkdirSync(path);
  const manifest = { name, version: '1.0.0', private: true, type: 'module' };
  writeFileSync(join(path, 'package.json'), JSON.stringify(manifest));
  npm(['install', '--offline', '--no-audit', '--no-fund', tarball], path);
  for (const [file, content] of Object.entries(files)) {
    mkdirSync(dirname(join(path, file)), { recursive: true });
    writeFileSync(join(path, file), content);
  }
  return path;
}

export function npm(words: string[], cwd: string): string {
  // A shell only where npm is a script of one.
  return execFileSync('npm', words, {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    shell: process.platform === 'win32',
  });
}

/** Runs a tool of this project's with Node; its output, or an error that has it. */
export function tool(name: string, command: string, words: string[], cwd: string): string {
  const manifest = join(root, 'node_modules', name, 'package.json');
  const { bin } = require(manifest) as { bin: string | Record<string, string> };
  const file = join(dirname(manifest), typeof bin === 'string' ? bin : bin[command]!);
  return node([file, ...words], cwd);
}

export function node(words: string[], cwd: string): string {
  try {
    return execFileSync(process.execPath, words, {
      cwd,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 120_000,
    });
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`${words.join(' ')}:\n${stdout}\n${stderr}`);
  }
}
