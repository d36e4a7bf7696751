// Guarantees to and against browsers on other origins (security.md section 2 "CORS", case 92).

import { describe, expect, it } from 'vitest';
import { echo, startServer } from './tiny-server.ts';

const shop = 'https://shop.example';
const call = async (
  config: { production: boolean; corsOrigins: string[] },
  origin: string,
  method: 'OPTIONS' | 'GET' = 'GET',
) => {
  const { url } = await startServer({ routes: [echo], config });
  const answer = await fetch(`${url}/echo/a`, {
    method,
    headers: {
      origin,
      ...(method === 'OPTIONS' && {
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization',
      }),
    },
  });
  const allowed = [...answer.headers].filter(([name]) => name.startsWith('access-control-'));
  return { status: answer.status, vary: answer.headers.get('vary'), allowed: Object.fromEntries(allowed) };
};

describe('CORS', () => {
  const production = { production: true, corsOrigins: [shop] };

  it.each([
    'https://evil.example',
    'null',
    'https://sub.shop.example',
    'http://shop.example',
    'https://shop.example.evil',
    'https://shop.example:444',
  ])('case 92: gives %s nothing, by preflight or request', async (origin) => {
    expect((await call(production, origin, 'OPTIONS')).allowed).toEqual({});
    expect((await call(production, origin)).allowed).toEqual({});
  });

  it('case 92: allows a listed origin, without credentials, and says that the answer varies by origin', async () => {
    expect(await call(production, shop, 'OPTIONS')).toEqual({
      status: 204,
      vary: 'Origin',
      allowed: {
        'access-control-allow-origin': shop,
        'access-control-allow-methods': 'GET, POST, OPTIONS',
        'access-control-allow-headers': 'Authorization, Content-Type, Accept, Accept-Language, saas-token',
        'access-control-expose-headers': 'X-Request-Id, WWW-Authenticate, Retry-After',
        'access-control-max-age': '600',
      },
    });
    expect((await call(production, shop)).allowed).toMatchObject({ 'access-control-allow-origin': shop });
  });

  it('is off in production when no origin is listed, and `*` lists nobody there', async () => {
    expect((await call({ production: true, corsOrigins: [] }, shop)).allowed).toEqual({});
    expect((await call({ production: true, corsOrigins: ['*'] }, shop, 'OPTIONS')).allowed).toEqual({});
  });

  it('lets everybody in during development, without credentials', async () => {
    const { allowed } = await call({ production: false, corsOrigins: ['*'] }, 'null', 'OPTIONS');
    expect(allowed).toMatchObject({ 'access-control-allow-origin': '*' });
    expect(allowed).not.toHaveProperty('access-control-allow-credentials');
  });

  it('answers an OPTIONS that is no preflight with the methods', async () => {
    const { url } = await startServer({ routes: [echo] });
    const answer = await fetch(`${url}/echo/a`, { method: 'OPTIONS' });
    expect([answer.status, answer.headers.get('allow')]).toEqual([204, 'GET, POST, OPTIONS']);
  });
});
