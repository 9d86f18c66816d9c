/** Names of the core's functions that rows refer to, as the translator needs them exported. */
import { CODES, type Code } from './codes.ts';

/** A flags entry "name(args)" with the size put in. */
export function parseCall(text: string, size: number): { name: string; args: string[] } {
  const [, name, list] = /^([\w%]+)\((.*)\)$/.exec(text)!;
  return {
    name: name!.replace('%', String(size)),
    args: list!.split(',').map((token) => token.trim()),
  };
}

/** What a record of this code calls. */
export function functionsOf({ operation, size }: Code): string[] {
  const { fn, guard, flags, after } = operation;
  const names = [fn, guard, after].filter((name) => name != null);
  if (typeof flags === 'object' && !('sub' in flags)) {
    names.push(parseCall('co' in flags ? flags.co : flags.bits, size).name);
  }
  return names.map((name) => name.replace('%', String(size)));
}

/** Flag functions that the translator uses by itself. */
export const FLAG_FUNCTIONS = [
  'cf_add', 'cf_adc', 'cf_sub', 'cf_sbb', 'of_add', 'of_sub', 'parity',
  'cf_any', 'zf_any', 'sf_any', 'pf_any', 'of_any', 'lt_any', 'flags_any',
]; // prettier-ignore

/** All functions that operations which do not end a block call, and the flag functions. */
export function calledFunctions(): string[] {
  const names = new Set([...FLAG_FUNCTIONS, 'mmx_enter']);
  for (const code of CODES) {
    if (code.operation.ends || code.operation.control) continue;
    for (const name of functionsOf(code)) names.add(name);
  }
  return [...names].sort();
}
