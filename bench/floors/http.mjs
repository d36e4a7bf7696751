// The floor of every HTTP answer: node:http, a JSON body read and parsed, a JSON body written. With `signatures`: that
// many ES256 signatures on the thread pool besides, and nothing else: what issuing a token costs at the very least.

import { generateKeyPairSync, sign } from 'node:crypto';
import { createServer } from 'node:http';
import { promisify } from 'node:util';
import { listening, script } from '../kit/script.mjs';

const signed = promisify(sign);
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const part = (/** @type {object} */ value) => Buffer.from(JSON.stringify(value)).toString('base64url');
const header = part({ alg: 'ES256', typ: 'at+jwt', kid: 'floor' });

async function token() {
  const iat = Math.floor(Date.now() / 1_000);
  const text = `${header}.${part({ iss: 'https://floor.example', sub: 'somebody', scope: 'a.b_read', iat, exp: iat + 60 })}`;
  const signature = await signed('sha256', Buffer.from(text), { key: privateKey, dsaEncoding: 'ieee-p1363' });
  return `${text}.${signature.toString('base64url')}`;
}

script(async ({ signatures = 0 }) => {
  const server = createServer((req, res) => {
    let body = '';
    req.setEncoding('utf8');
    req.on('data', (chunk) => {
      body += chunk;
    });
    req.on('end', async () => {
      if (body) JSON.parse(body);
      const tokens = signatures === 0 ? [] : await Promise.all(Array.from({ length: signatures }, token));
      const text = JSON.stringify({ data: { hello: 'world', tokens } });
      res.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) });
      res.end(text);
    });
  });
  return { ready: await listening(server) };
});
