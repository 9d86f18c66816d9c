import type { Tools } from './build-guest.mjs';

export { tools } from './build-guest.mjs';
export const folder: string;
export const IMAGES: string[];
export function sourceHash(): string;
export function buildImages(): Buffer[];
export function imageHashes(images: Buffer[]): Record<string, string>;
export function readRecord(): Tools & { source: string; images: Record<string, string> };
