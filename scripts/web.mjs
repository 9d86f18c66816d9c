// `npm run web`: builds the page into dist/web and serves it, with the guests that are cached.
// `npm run web -- --build` only builds: any file server can then serve dist/web.

import { createReadStream, existsSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { parseArgs } from 'node:util';
import { buildIfStale, installIfMissing, root } from './setup.mjs';

installIfMissing();
buildIfStale();
const { buildPage } = await import('./page.mjs');

const { values } = parseArgs({
  options: {
    build: { type: 'boolean', default: false },
    port: { type: 'string', default: '8086' },
    host: { type: 'string', default: '127.0.0.1' },
  },
});
const folder = await buildPage({ translate: true });
if (!values.build) serve();

const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.wasm': 'application/wasm',
  '.json': 'application/json',
};

/** The guests of .cache/guest as web/guests.ts wants them, and where their files are. */
function cachedGuests() {
  const cache = join(root, '.cache', 'guest');
  if (!existsSync(join(cache, 'guest.json'))) return { list: [], files: {} };
  const { name } = JSON.parse(readFileSync(join(cache, 'guest.json'), 'utf8'));
  const append = 'console=ttyS0 tsc=reliable mitigations=off random.trust_cpu=on nokaslr';
  return {
    list: [{ name, kernel: 'guests/kernel', initrd: 'guests/initrd.gz', append, memory: 256 }],
    files: {
      '/guests/kernel': join(cache, 'kernel'),
      '/guests/initrd.gz': join(cache, 'initrd.gz'),
    },
  };
}

function serve() {
  const { list, files } = cachedGuests();
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, 'http://localhost');
    if (pathname === '/guests/guests.json') {
      response.writeHead(200, { 'content-type': TYPES['.json'] }).end(JSON.stringify(list));
      return;
    }
    let path;
    try {
      path = normalize(decodeURIComponent(pathname));
    } catch {
      response.writeHead(400).end();
      return;
    }
    let file = files[path] ?? join(folder, path);
    if (statSync(file, { throwIfNoEntry: false })?.isDirectory()) file = join(file, 'index.html');
    const stat = statSync(file, { throwIfNoEntry: false });
    if (!stat?.isFile()) {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('not found\n');
      return;
    }
    const type = TYPES[extname(file)] ?? 'application/octet-stream';
    response.writeHead(200, { 'content-type': type, 'content-length': stat.size });
    createReadStream(file).pipe(response);
  });
  server.on('error', (error) => {
    const why = error.code === 'EADDRINUSE' ? 'is taken; give another with --port' : error.message;
    console.error(`vmi86: port ${values.port}: ${why}`);
    process.exit(1);
  });
  server.listen(Number(values.port), values.host, () => {
    const { port } = server.address();
    console.error(`vmi86: http://${values.host}:${port}/ (Ctrl-C ends)`);
  });
}
