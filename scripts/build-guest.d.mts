export const folder: string;
export const imagePath: string;
export const recordPath: string;
export interface Tools {
  gcc: string;
  ld: string;
}
export function sourceHash(): string;
export function tools(): Tools | undefined;
export function buildImage(): Buffer;
export function readRecord(): Tools & { source: string; image: string };
