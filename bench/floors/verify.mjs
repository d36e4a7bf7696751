// The floor of checking a token at first sight: node:crypto verifies ES256 on the thread pool, 32 at once.

import { generateKeyPairSync, sign, verify } from 'node:crypto';
import { promisify } from 'node:util';
import { repeating, script } from '../kit/script.mjs';

script(async () => {
  const verified = promisify(verify);
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const text = Buffer.alloc(500, 'x');
  const signature = sign('sha256', text, { key: privateKey, dsaEncoding: 'ieee-p1363' });
  const one = () => verified('sha256', text, { key: publicKey, dsaEncoding: 'ieee-p1363' }, signature);
  return { answer: repeating({ atOnce: 32, batch: async () => Array.from({ length: 10_000 }, () => one) }) };
});
