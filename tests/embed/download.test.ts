// Images from a server that answers well, badly, slowly, or stops in the middle.

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Progress } from '../../host/embed/types';
import { kernel, POWER_OFF, say } from '../lib/kernels';
import { createMachine, machineOf } from './support';

const KERNEL = kernel(...say('x'), ...POWER_OFF);
let server: Server;
let base: string;

beforeAll(async () => {
  server = createServer((request, response) => {
    if (request.url === '/kernel') {
      response.writeHead(200, { 'content-length': KERNEL.length });
      response.write(KERNEL.subarray(0, 10));
      setTimeout(() => response.end(KERNEL.subarray(10)), 20);
    } else if (request.url === '/stalls') {
      response.writeHead(200, { 'content-length': KERNEL.length });
      response.write(KERNEL.subarray(0, 10));
    } else if (request.url === '/breaks') {
      response.writeHead(200, { 'content-length': KERNEL.length });
      response.write(KERNEL.subarray(0, 10), () => response.destroy());
    } else response.writeHead(404, 'Not Found').end('<html></html>');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

test.each([false, true])('reports progress (worker: %s)', async (worker) => {
  const seen: Progress[] = [];
  const machine = await machineOf(`${base}/kernel`, {
    worker,
    on: { progress: (progress) => progress.image === 'kernel' && seen.push(progress) },
  });
  const total = KERNEL.length;
  expect(seen[0]).toEqual({ image: 'kernel', loaded: 10, total });
  expect(seen.at(-1)).toEqual({ image: 'kernel', loaded: total, total });
  machine.run();
  await machine.finished();
});

test.each([
  ['/nothing', /^kernel http:.*: the server answers 404 Not Found; check the address/],
  ['/breaks', /^kernel http:.*; check the address and the network/],
  ['/stalls', /^kernel http:.*: nothing came for 0\.2 s; check the network/],
])('says what happened: %s', async (path, message) => {
  const attempt = createMachine({ kernel: base + path, memory: 16, stallTimeout: 200 });
  await expect(attempt).rejects.toMatchObject({ code: 'load' });
  await expect(attempt).rejects.toThrow(message);
});
