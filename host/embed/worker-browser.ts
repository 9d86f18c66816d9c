/** What runs in a browser's worker: one machine that the page's side calls. */

import { BrowserPlatform, workerPort } from '../platform/browser';
import { serve } from './serve';

serve(workerPort(), new BrowserPlatform(), new URL('../core.wasm', import.meta.url));
