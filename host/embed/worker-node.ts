/** What runs in a worker thread of Node: one machine that the other side calls. */

import { NodePlatform, workerPort } from '../platform/node';
import { serve } from './serve';

serve(workerPort(), new NodePlatform(), new URL('../core.wasm', import.meta.url));
