export const folder: string;
export function names(): string[];
export function assemble(name: string, output?: string): void;
