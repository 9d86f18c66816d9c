// `npm pack` and `npm publish` take what is built; this builds what is not.

import { buildIfStale } from './setup.mjs';

buildIfStale();
