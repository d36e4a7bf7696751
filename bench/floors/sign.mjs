// The floor of issuing: node:crypto signs ES256 on the thread pool, 32 at once.

import { generateKeyPairSync, sign } from 'node:crypto';
import { promisify } from 'node:util';
import { repeating, script } from '../kit/script.mjs';

script(async () => {
  const signed = promisify(sign);
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const text = Buffer.alloc(500, 'x');
  const one = () => signed('sha256', text, { key: privateKey, dsaEncoding: 'ieee-p1363' });
  return { answer: repeating({ atOnce: 32, batch: async () => Array.from({ length: 10_000 }, () => one) }) };
});
