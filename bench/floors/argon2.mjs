// The floor of a login: argon2id verifies a password at OWASP's parameters, on every core.

import { availableParallelism } from 'node:os';
import { hash, verify } from '@node-rs/argon2';
import { repeating, script } from '../kit/script.mjs';

script(async () => {
  const stored = await hash('demo-password-1', { algorithm: 2, memoryCost: 47_104, timeCost: 1, parallelism: 1 });
  const one = () => verify(stored, 'demo-password-1');
  return { answer: repeating({ atOnce: availableParallelism(), batch: async () => Array(1_000).fill(one) }) };
});
