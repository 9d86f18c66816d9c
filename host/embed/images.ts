/**
 * Gets the bytes of what users name: URLs with progress and a limit on silence, Blobs, bytes, and
 * paths where there are files. Every failure says which image, why, and what to do.
 */

import type { Platform } from '../platform/platform';
import { VmError } from './errors';
import type { Image, Progress } from './types';

export interface LoadContext {
  platform: Platform;
  signal?: AbortSignal | undefined;
  /** Milliseconds. */
  stallTimeout: number;
  progress: (progress: Progress) => void;
}

export const STALL_TIMEOUT = 30_000;

const URL_LIKE = /^(https?|file|data|blob):/i;

/** What an image is, if it is neither Blob nor bytes. */
export function locate(image: string | URL, platform: Platform): URL | { path: string } {
  if (image instanceof URL) return image;
  if (URL_LIKE.test(image)) return new URL(image);
  return platform.readFile ? { path: image } : new URL(image, platform.base);
}

/** @param name the option it was given by; starts the message of an error */
export async function loadImage(
  name: Progress['image'],
  image: Image,
  context: LoadContext,
): Promise<Uint8Array> {
  const bytes = await load(name, image, context);
  context.progress({ image: name, loaded: bytes.length, total: bytes.length });
  return bytes;
}

async function load(
  name: Progress['image'],
  image: Image,
  context: LoadContext,
): Promise<Uint8Array> {
  context.signal?.throwIfAborted();
  if (image instanceof Uint8Array) return image;
  if (image instanceof ArrayBuffer) return new Uint8Array(image);
  if (image instanceof Blob) return readBlob(name, image);
  if (typeof image !== 'string' && !(image instanceof URL)) {
    throw new VmError('option', `${name}: give a URL, a Blob or File, or bytes`);
  }
  let where;
  try {
    where = locate(image, context.platform);
  } catch {
    throw new VmError('option', `${name}: ${String(image)} is no URL; give a whole one`);
  }
  const { readFile } = context.platform;
  if (!(where instanceof URL) || (where.protocol === 'file:' && readFile)) {
    const file = where instanceof URL ? where : where.path;
    try {
      return await context.platform.readFile!(file);
    } catch (error) {
      throw new VmError(
        'load',
        `${name} ${String(file)}: ${reason(error)}; give a file that is there`,
      );
    }
  }
  return download(name, where, context);
}

async function readBlob(name: string, blob: Blob): Promise<Uint8Array> {
  try {
    return new Uint8Array(await blob.arrayBuffer());
  } catch (error) {
    const file = blob as { name?: string };
    // Browsers refuse files that changed after they were chosen, and folders.
    throw new VmError('load', `${name} ${file.name ?? 'Blob'}: ${reason(error)}; choose it again`);
  }
}

async function download(
  name: Progress['image'],
  url: URL,
  { signal, stallTimeout, progress, platform }: LoadContext,
): Promise<Uint8Array> {
  const fail = (why: string): VmError => new VmError('load', `${name} ${short(url)}: ${why}`);
  const abort = new AbortController();
  const forward = (): void => abort.abort(signal!.reason);
  signal?.addEventListener('abort', forward);
  let stalled = false;
  let cancel = (): void => {};
  const alive = (): void => {
    cancel();
    cancel = platform.setTimer(stallTimeout, () => {
      stalled = true;
      abort.abort();
    });
  };
  alive();
  try {
    const response = await fetch(url, { signal: abort.signal });
    if (!response.ok) {
      throw fail(`the server answers ${response.status} ${response.statusText}; check the address`);
    }
    const length = Number(response.headers.get('content-length'));
    // Of a compressed transfer the length says nothing about the bytes that come out.
    const total = length > 0 && !response.headers.get('content-encoding') ? length : undefined;
    const parts: Uint8Array[] = [];
    let loaded = 0;
    const reader = response.body?.getReader();
    for (;;) {
      alive();
      const chunk = await reader?.read();
      if (!chunk || chunk.done) break;
      parts.push(chunk.value);
      loaded += chunk.value.length;
      progress({ image: name, loaded, ...(total !== undefined && { total }) });
    }
    return concatenate(parts, loaded);
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    if (stalled) {
      throw fail(`nothing came for ${stallTimeout / 1000} s; check the network, then try again`);
    }
    if (error instanceof VmError) throw error;
    throw fail(
      `${reason(error)}; check the address and the network, and that the server allows other ` +
        'origins (CORS) if it is one',
    );
  } finally {
    cancel();
    signal?.removeEventListener('abort', forward);
  }
}

function concatenate(parts: Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

function short(url: URL): string {
  return url.href.length > 200 ? `${url.href.slice(0, 60)}...` : url.href;
}

const REASONS: Record<string, string> = {
  ENOENT: 'no such file',
  EACCES: 'permission denied',
  EISDIR: 'is a folder',
};

export function reason(error: unknown): string {
  const code = (error as { code?: string }).code ?? '';
  return REASONS[code] ?? (error instanceof Error ? error.message : String(error));
}
