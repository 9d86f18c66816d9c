// node bench/micro/run.mjs NAME: runs one micro-benchmark of bench/micro.

import { load } from '../../scripts/typescript.mjs';

const name = process.argv[2] ?? 'translator';
const { main } = await load(`bench/micro/${name}.ts`);
main();
