/** An engine that runs a machine in this thread: loads what it is made of, then drives it. */

import { describeState } from '../dump';
import { Driver } from '../drive';
import { type DiskBacking, MemoryDisk } from '../devices/disk';
import { Machine, type Outcome } from '../machine';
import { describeEnd } from '../past';
import type { ClosableDisk, Platform } from '../platform/platform';
import { statistics } from '../statistics';
import { loadCore } from './core';
import type { Engine, EngineEvents, EngineOptions } from './engine';
import { VmError } from './errors';
import { loadImage, locate, reason, STALL_TIMEOUT, type LoadContext } from './images';
import { Inspector } from './inspect';
import type { CoreSource, DiskOptions, Progress, RegionDetail, RegionSummary } from './types';
import type { ScreenText, Statistics } from './types';
import { translateError } from './wire';

const MIB = 2 ** 20;
const MEMORY_DEFAULT = 256;
const SECTOR = 512;

export interface LocalSetting {
  options: EngineOptions;
  /** Where the core is if the options do not say. */
  core: CoreSource;
  platform: Platform;
  progress: (progress: Progress) => void;
  signal?: AbortSignal | undefined;
}

export class LocalEngine implements Engine {
  /** Set by whoever has the engine. */
  events!: EngineEvents;
  private readonly driver: Driver<Outcome>;
  private driving: Promise<void> | undefined;
  private wanted = false;
  private ended = false;
  private held: { release: () => void; until: Promise<void> } | undefined;
  private pausedAt: number | undefined;

  /** @throws VmError */
  static async create(setting: LocalSetting): Promise<LocalEngine> {
    const { options, platform, progress, signal } = setting;
    const memory = options.memory ?? MEMORY_DEFAULT;
    if (!Number.isInteger(memory)) {
      throw new VmError('option', `memory: ${memory}; give a whole number of MiB`);
    }
    if (options.kernel === undefined) {
      throw new VmError('option', 'kernel: is missing; give a Linux bzImage or a multiboot ELF');
    }
    const stallTimeout = options.stallTimeout ?? STALL_TIMEOUT;
    const context: LoadContext = { platform, signal, stallTimeout, progress };
    const { translations } = options;
    const [core, kernel, initrd, disk, saved] = await Promise.all([
      loadCore(options.core ?? setting.core, context),
      loadImage('kernel', options.kernel, context),
      options.initrd === undefined ? undefined : loadImage('initrd', options.initrd, context),
      options.disk === undefined ? undefined : openDisk(options.disk, context),
      translations === undefined || translations === true
        ? undefined
        : loadImage('translations', translations, context),
    ]);
    let unusable: string | undefined;
    const inspector = options.inspect ? new Inspector() : undefined;
    const paused = { total: 0 };
    try {
      const machine = await Machine.create({
        core: core.module,
        coreBytes: core.bytes,
        kernel,
        initrd,
        commandLine: options.append,
        unpack: options.unpack,
        memory: memory * MIB,
        disk,
        jit: options.jit,
        clock: options.clock,
        paravirt: options.paravirt,
        translations:
          translations === undefined
            ? undefined
            : { file: saved, keep: true, onUnusable: (reason) => (unusable = reason) },
        hostNow: () => platform.hostNow() - paused.total,
        ...(inspector && { translator: { onRegion: inspector.made } }),
      });
      if (inspector) {
        inspector.translator = machine.translator;
        inspector.memory = machine.cpu.memory;
      }
      return new LocalEngine(machine, platform, inspector, disk, paused, unusable);
    } catch (error) {
      if (error instanceof RangeError) {
        throw new VmError('memory', `memory: cannot get ${memory} MiB here; give less`);
      }
      throw translateError(error);
    }
  }

  private constructor(
    private readonly machine: Machine,
    private readonly platform: Platform,
    private readonly inspector: Inspector | undefined,
    private readonly disk: DiskBacking | undefined,
    /** Nanoseconds that the machine was paused: the guest does not see them pass. */
    private readonly paused: { total: number },
    /** Why the file of translations is not used. */
    private readonly unusable: string | undefined,
  ) {
    this.pausedAt = platform.hostNow();
    this.driver = new Driver(
      platform,
      () => machine.runSlice(),
      (outcome) => {
        if (outcome.kind === 'reset') this.events.reset();
        return this.held?.until;
      },
    );
    machine.onSerial = (bytes) => this.events.serial(bytes);
  }

  run(): void {
    this.wanted = true;
    if (this.ended || this.driving) return;
    if (this.pausedAt !== undefined) this.paused.total += this.platform.hostNow() - this.pausedAt;
    this.pausedAt = undefined;
    this.driving = this.drive();
  }

  private async drive(): Promise<void> {
    let outcome: Outcome | undefined;
    try {
      // Not within the caller's own turn: it may still be adding listeners.
      await this.platform.yieldToEvents();
      while (this.wanted && outcome === undefined) outcome = await this.driver.run();
    } catch (error) {
      this.ended = true;
      this.events.broken(error instanceof Error ? error : new Error(String(error)));
      return;
    } finally {
      this.driving = undefined;
      this.pausedAt = this.platform.hostNow();
    }
    if (outcome === undefined) return;
    this.ended = true;
    if (outcome.kind === 'dead') {
      this.events.failure({ reason: outcome.reason, registers: describeEnd(this.machine.cpu) });
    } else this.events.poweroff();
  }

  pause(): void {
    this.wanted = false;
    this.driver.stop();
    this.disk?.flush();
  }

  reset(): void {
    const ended = this.ended;
    this.ended = false;
    this.machine.pressReset();
    if (ended) this.run();
    else this.driver.wake();
  }

  powerButton(): void {
    this.machine.pressPowerButton();
    this.driver.wake();
  }

  send(bytes: Uint8Array): void {
    this.machine.sendSerial(bytes);
    this.driver.wake();
  }

  type(text: string): void {
    this.machine.type(text);
    this.driver.wake();
  }

  hold(on: boolean): void {
    if (on && !this.held) {
      let release = (): void => {};
      const until = new Promise<void>((resolve) => (release = resolve));
      this.held = { release, until };
    } else if (!on) {
      this.held?.release();
      this.held = undefined;
    }
  }

  async screen(): Promise<ScreenText> {
    return this.machine.screen();
  }

  async stats(): Promise<Statistics> {
    const { unusable } = this;
    const counted = statistics(this.machine) as unknown as Statistics;
    return { ...counted, ...(unusable !== undefined && { translations: { unusable } }) };
  }

  async registers(): Promise<string> {
    return describeState(this.machine.cpu);
  }

  async translations(): Promise<Uint8Array> {
    const file = this.machine.translations();
    if (!file) {
      throw new VmError(
        'option',
        'translations: were not kept; create the machine with the option',
      );
    }
    return file;
  }

  async regions(): Promise<RegionSummary[]> {
    return this.inspector?.list() ?? [];
  }

  async region(id: number): Promise<RegionDetail | undefined> {
    return this.inspector?.detail(id);
  }

  async close(): Promise<void> {
    this.hold(false);
    this.pause();
    await this.driving;
    (this.disk as ClosableDisk | undefined)?.close?.();
  }
}

async function openDisk(
  disk: NonNullable<EngineOptions['disk']>,
  context: LoadContext,
): Promise<DiskBacking> {
  const options: DiskOptions = typeof disk === 'object' && 'image' in disk ? disk : { image: disk };
  const { image, readonly = false, persist = false } = options;
  if (persist) return openInPlace(image, readonly, context.platform);
  const bytes = await loadImage('disk', image, context);
  if (bytes.length < SECTOR || bytes.length % SECTOR !== 0) {
    throw new VmError(
      'image',
      `disk: ${bytes.length} bytes are no whole number of 512-byte sectors; give a raw disk image`,
    );
  }
  // The guest writes into a copy: bytes of the caller's stay as they are.
  return new MemoryDisk(image instanceof Uint8Array || image instanceof ArrayBuffer ? bytes.slice() : bytes, readonly); // prettier-ignore
}

function openInPlace(
  image: DiskOptions['image'],
  readonly: boolean,
  platform: Platform,
): DiskBacking {
  const where =
    typeof image === 'string' || image instanceof URL ? locate(image, platform) : undefined;
  const file =
    where instanceof URL ? (where.protocol === 'file:' ? where : undefined) : where?.path;
  if (file === undefined || !platform.openDisk) {
    throw new VmError(
      'option',
      'disk.persist: only a file in Node keeps what is written; leave it out',
    );
  }
  try {
    return platform.openDisk(file, readonly);
  } catch (error) {
    throw new VmError('load', `disk ${String(file)}: ${reason(error)}; give a raw disk image`);
  }
}
