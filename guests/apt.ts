// Debian packages for i386 through apt-get with folders of its own: needs no root and changes
// nothing of the system (its lists, caches and installed packages are neither read nor written;
// only its sources and keys are).

import { spawn, type SpawnOptions } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export type Progress = (line: string) => void;

export interface Package {
  name: string;
  version: string;
  depends: string;
  size: number;
}

const KEYRINGS = [
  '/usr/share/keyrings/debian-archive-keyring.gpg',
  '/usr/share/keyrings/debian-archive-keyring.pgp',
];

export class Apt {
  private readonly options: string[];

  private constructor(
    private readonly folder: string,
    private readonly progress: Progress,
  ) {
    const settings: Record<string, string> = {
      'APT::Architecture': 'i386',
      'APT::Architectures': 'i386',
      'APT::Sandbox::User': '',
      'Acquire::Languages': 'none',
      'Acquire::Retries': '3',
      'Acquire::http::Timeout': '30',
      'Dir::State': join(folder, 'state'),
      'Dir::State::Lists': join(folder, 'lists'),
      'Dir::State::status': join(folder, 'status'),
      'Dir::Cache': join(folder, 'cache'),
      'Debug::NoLocking': 'true',
    };
    this.options = Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  }

  /** Is there an apt-get, and a dpkg-deb to unpack what it brings? */
  static async available(): Promise<boolean> {
    try {
      await run('apt-get', ['--version']);
      await run('dpkg-deb', ['--version']);
      return true;
    } catch {
      return false;
    }
  }

  /** Package lists of the system's sources; a source that fails is left out. */
  static async open(folder: string, progress: Progress): Promise<Apt> {
    for (const name of ['state', 'lists/partial', 'cache/archives/partial', 'archives']) {
      mkdirSync(join(folder, name), { recursive: true });
    }
    writeFileSync(join(folder, 'status'), '');
    const apt = new Apt(folder, progress);
    await apt.update();
    return apt;
  }

  /**
   * The same sources, but of another release: a system newer than the last release with an i386
   * kernel has none in its own sources, while its mirrors still do.
   */
  async useRelease(release: string): Promise<void> {
    const targets = await run('apt-get', [
      ...this.options,
      'indextargets',
      '--format',
      '$(REPO_URI)',
      'Created-By: Packages',
    ]);
    // Where Debian's keyring is not among the keys that apt trusts for every source, it is here.
    const key = KEYRINGS.find((path) => existsSync(path));
    const sources = [...new Set(targets.split('\n').filter(Boolean))].map(
      (uri) => `deb ${key ? `[signed-by=${key}] ` : ''}${uri} ${release} main`,
    );
    const list = join(this.folder, 'sources.list');
    writeFileSync(list, sources.join('\n') + '\n');
    this.options.push(
      '-o',
      `Dir::Etc::SourceList=${list}`,
      '-o',
      'Dir::Etc::SourceParts=/dev/null',
    );
    await this.update();
  }

  private async update(): Promise<void> {
    this.progress('fetching package lists');
    try {
      await run('apt-get', [...this.options, 'update']);
    } catch {
      // One stale mirror among several: what did arrive is usable, and find() sees what did not.
    }
  }

  async find(name: string): Promise<Package | undefined> {
    const text = await run('apt-cache', [...this.options, 'show', '--no-all-versions', name]).catch(
      () => '',
    );
    const field = (key: string): string =>
      new RegExp(`^${key}: (.*)$`, 'm').exec(text)?.[1]?.trim() ?? '';
    if (!field('Version')) return undefined;
    return {
      name: field('Package'),
      version: field('Version'),
      depends: field('Depends'),
      size: Number(field('Size')),
    };
  }

  /** Downloads a package, checked against the signed lists, and unpacks it into `target`. */
  async unpack(wanted: Package, target: string): Promise<void> {
    const archives = join(this.folder, 'archives', wanted.name);
    rmSync(archives, { recursive: true, force: true });
    mkdirSync(archives, { recursive: true });
    const megabytes = (wanted.size / 1e6).toFixed(1);
    this.progress(`downloading ${wanted.name} ${wanted.version} (${megabytes} MB)`);
    let reported = 0;
    const timer = setInterval(() => {
      const percent = Math.floor((folderSize(archives) / wanted.size) * 100);
      if (percent < reported + 10) return;
      reported = percent;
      this.progress(`downloading ${wanted.name}: ${percent} %`);
    }, 1000);
    try {
      await run('apt-get', [...this.options, 'download', wanted.name], { cwd: archives });
    } finally {
      clearInterval(timer);
    }
    const archive = readdirSync(archives).find((name) => name.endsWith('.deb'));
    if (!archive) throw new Error(`apt-get brought no package for ${wanted.name}`);
    mkdirSync(target, { recursive: true });
    await run('dpkg-deb', ['-x', join(archives, archive), target]);
    rmSync(archives, { recursive: true, force: true });
  }
}

function folderSize(folder: string): number {
  return readdirSync(folder, { withFileTypes: true }).reduce((sum, entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return sum + folderSize(path);
    return sum + (statSync(path, { throwIfNoEntry: false })?.size ?? 0);
  }, 0);
}

/** Standard output of a program, or an error that carries the last line it wrote to stderr. */
function run(program: string, args: string[], options: SpawnOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      ...options,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' },
    });
    let output = '';
    let errors = '';
    child.stdout?.on('data', (data) => (output += data));
    child.stderr?.on('data', (data) => (errors += data));
    child.on('error', reject);
    child.on('close', (status) => {
      if (status === 0) resolve(output);
      else
        reject(new Error(`${program}: ${errors.trim().split('\n').at(-1) || `status ${status}`}`));
    });
  });
}
