// SPDX-License-Identifier: Apache-2.0
// An HTTP server and client on the job's own loopback, a unix socket, a child and a worker thread.
'use strict';
const assert = require('assert');
const { spawnSync } = require('child_process');
const fs = require('fs');
const http = require('http');
const { Worker } = require('worker_threads');

function ask(where) {
  return new Promise((resolve, reject) => {
    http.get({ ...where, path: '/file' }, (answer) => {
      let text = '';
      answer.on('data', (part) => { text += part; });
      answer.on('end', () => resolve(text));
    }).on('error', reject);
  });
}

async function serve(listen, where) {
  const server = http.createServer((request, answer) => answer.end(`got ${request.url}`));
  await new Promise((resolve) => server.listen(...listen, resolve));
  assert.strictEqual(await ask(where(server)), 'got /file');
  await new Promise((resolve) => server.close(resolve));
}

async function main() {
  await serve([0, '127.0.0.1'], (server) => ({ host: '127.0.0.1', port: server.address().port }));
  await serve(['node-work.sock'], () => ({ socketPath: 'node-work.sock' }));
  fs.rmSync('node-work.sock', { force: true });
  assert.strictEqual(spawnSync('sh', ['-c', 'echo child']).stdout.toString(), 'child\n');
  const text = await new Promise((resolve, reject) => {
    const worker = new Worker('require("worker_threads").parentPort.postMessage("thread")',
      { eval: true });
    worker.on('message', resolve);
    worker.on('error', reject);
  });
  assert.strictEqual(text, 'thread');
  console.log('node works');
}

main().catch((error) => { console.error(error); process.exit(1); });
