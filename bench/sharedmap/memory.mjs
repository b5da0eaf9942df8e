/** Bytes of small entries: SharedMap, lru-cache, and servers that are installed. */
import { spawn, spawnSync } from 'node:child_process';
import { createConnection, createServer } from 'node:net';
import { LRUCache } from 'lru-cache';
import { SharedMap } from '../../dist/sharedmap/index.js';
import { count } from '../lib/table.mjs';

/** Bytes of a key and of a value. */
const CONTENT = 16;

/** A free port. */
function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
      server.close(() => resolve(port));
    });
  });
}

/**
 * A connection to a server on a free port, or `undefined` if it is not installed.
 * @param {string} program @param {(port: number) => string[]} options
 */
async function connected(program, options) {
  if (spawnSync(program, ['--version'], { stdio: 'ignore' }).error) return undefined;
  const port = await freePort();
  const child = spawn(program, options(port), { stdio: 'ignore' });
  for (let attempt = 0; ; attempt++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    const socket = createConnection(port, '127.0.0.1');
    const isOpen = await new Promise((resolve) => {
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
    });
    if (isOpen) return { child, socket };
    if (attempt === 100) throw new Error(`${program} does not listen`);
  }
}

/**
 * Sends text and resolves with the answer when it ends with `end`.
 * @param {import('node:net').Socket} socket @param {string} text @param {string | RegExp} end
 */
function ask(socket, text, end) {
  return new Promise((resolve) => {
    let answer = '';
    const read = (/** @type {Buffer} */ chunk) => {
      answer += chunk.toString('latin1');
      const isDone = typeof end === 'string' ? answer.endsWith(end) : end.test(answer);
      if (!isDone) return;
      socket.off('data', read);
      resolve(answer);
    };
    socket.on('data', read);
    socket.write(text);
  });
}

const keyOf = (/** @type {number} */ i) => String(i).padStart(8, '0');

/** @param {number} n */
async function redis(n) {
  const server = await connected('redis-server', (port) => [
    '--port',
    String(port),
    '--bind',
    '127.0.0.1',
    '--save',
    '',
    '--appendonly',
    'no',
  ]);
  if (server === undefined) return undefined;
  const { child, socket } = server;
  const used = async () =>
    Number(/used_memory:(\d+)/.exec(await ask(socket, 'INFO memory\r\n', /used_memory:\d+[^]*\r\n$/))?.[1]);
  const before = await used();
  for (let i = 0; i < n; i += 1000) {
    let text = '';
    for (let k = i; k < i + 1000; k++) text += `SET ${keyOf(k)} ${keyOf(k)}\r\n`;
    await ask(socket, `${text}PING\r\n`, '+PONG\r\n');
  }
  const bytes = (await used()) - before;
  socket.destroy();
  child.kill();
  return bytes / n - CONTENT;
}

/** @param {number} n */
async function memcached(n) {
  const server = await connected('memcached', (port) => [
    '-l',
    '127.0.0.1',
    '-p',
    String(port),
    '-U',
    '0',
    '-m',
    '4096',
    '-u',
    'nobody',
  ]);
  if (server === undefined) return undefined;
  const { child, socket } = server;
  for (let i = 0; i < n; i += 1000) {
    let text = '';
    for (let k = i; k < i + 1000; k++) text += `set ${keyOf(k)} 0 0 8 noreply\r\n${keyOf(k)}\r\n`;
    await ask(socket, `${text}version\r\n`, /VERSION .*\r\n$/);
  }
  const slabs = await ask(socket, 'stats slabs\r\n', 'END\r\n');
  const table = await ask(socket, 'stats\r\n', 'END\r\n');
  socket.destroy();
  child.kill();
  const malloced = Number(/total_malloced (\d+)/.exec(slabs)?.[1]);
  const hashed = Number(/hash_bytes (\d+)/.exec(table)?.[1]);
  return (malloced + hashed) / n - CONTENT;
}

/** @param {{ quick: boolean }} options */
export async function memory({ quick }) {
  const n = quick ? 1e5 : 1e6;
  const heap = () => {
    globalThis.gc?.();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  };
  const before = heap();
  const cache = new LRUCache({ max: n });
  for (let i = 0; i < n; i++) cache.set(i * 2 ** 32 + 1, i + 0.5);
  const theirs = (heap() - before) / n - CONTENT;
  if (cache.size !== n) throw new Error('the cache lost entries');
  // A full map: its bound, divided by the entries that it contains.
  const maxBytes = n * 40;
  const map = new SharedMap({ key: 'f64', value: 'f64', maxBytes });
  for (let i = 0; i < 2 * n; i++) map.set(i * 2 ** 32 + 1, i + 0.5);
  const servers = { Redis: await redis(n), memcached: await memcached(n) };
  const present = Object.entries(servers).filter(([, bytes]) => bytes !== undefined);
  return [
    {
      title: `${count(n)} entries`,
      unit: 'B',
      results: {
        SharedMap: { value: maxBytes / map.size - CONTENT },
        'lru-cache': { value: theirs },
        ...Object.fromEntries(present.map(([name, value]) => [name, { value }])),
      },
      goals: [{ below: 16 }],
    },
  ];
}
