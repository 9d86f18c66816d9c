// Runs a kernel in the interpreter and in the translator side by side on the virtual clock and says
// where they part: docs/debugging.md.
//   node scripts/lockstep.mjs [--from N] [--to N | --span N] [--step N] [--memory-step N]
//     [--kernel FILE] [--initrd FILE] [--append WORDS] [--memory MiB]
//     [--heat N] [--regions N] [--limit N] [--general] [--serial]
//     [--translations FILE]
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { load, root } from './typescript.mjs';

const cached = (name) => join(root, '.cache/guest', name);
const { values } = parseArgs({
  options: {
    from: { type: 'string', default: '0' },
    to: { type: 'string' },
    span: { type: 'string', default: '200000000' },
    step: { type: 'string', default: '10000' },
    'memory-step': { type: 'string', default: '20000000' },
    kernel: { type: 'string', default: cached('kernel') },
    initrd: { type: 'string', default: cached('initrd.gz') },
    append: { type: 'string' },
    memory: { type: 'string', default: '64' },
    heat: { type: 'string' },
    regions: { type: 'string' },
    limit: { type: 'string' },
    bisect: { type: 'boolean', default: false },
    general: { type: 'boolean', default: false },
    translations: { type: 'string' },
    serial: { type: 'boolean', default: false },
  },
});

const { COMMAND_LINE } = await load('tests/lib/command-line.ts');
const { bisect, lockstep } = await load('tests/lib/lockstep.ts');
const number = (name) => (values[name] === undefined ? undefined : Number(values[name]));
const translator = {};
if (values.heat !== undefined) translator.heatLimit = number('heat');
if (values.regions !== undefined) translator.regions = number('regions');
if (values.limit !== undefined) translator.limit = number('limit');
const started = Date.now();
const options = {
  core: readFileSync(join(root, 'dist/core.wasm')),
  kernel: readFileSync(values.kernel),
  initrd: existsSync(values.initrd) ? readFileSync(values.initrd) : undefined,
  commandLine: values.append ?? COMMAND_LINE,
  memory: number('memory') * 2 ** 20,
  translator,
  translations: values.translations && new Uint8Array(readFileSync(values.translations)),
  fused: !values.general,
  from: number('from'),
  to: number('to'),
  span: values.to === undefined ? number('span') : undefined,
  step: number('step'),
  memoryStep: number('memory-step'),
  onSerial: values.serial ? (bytes) => process.stdout.write(bytes) : undefined,
  say: (text) => console.error(`lockstep: ${text}`),
};
const report = values.bisect ? await bisect(options) : (await lockstep(options))?.report;
const seconds = ((Date.now() - started) / 1000).toFixed(1);
console.log(report ?? `lockstep: alike (${seconds} s)`);
process.exit(report ? 1 : 0);
