import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TlsServer } from '../postgres/client/tls-server.ts';
import { synthdb } from './run.ts';

let server: TlsServer;
beforeAll(async () => {
  server = await TlsServer.start();
  await server.makeRole('visitor', 'canary');
  await server.encrypt(true);
});
afterAll(() => server.stop());

test.each([
  ['prefer', true, false],
  ['require', true, false],
  ['verify-full', true, true],
  ['disable', false, false],
])(
  'synthdb doctor on a server with TLS, sslmode=%s: in use: %s, verified: %s',
  async (mode, inUse, verified) => {
    const { stdout } = await synthdb(['doctor', '--json'], tmpdir(), {
      DATABASE_URL: `postgresql://visitor:canary@localhost:${server.target.parts.port}/postgres?sslmode=${mode}`,
      ...(verified && { POSTGRES_SSL_ROOT_CERT: join(server.certificates, 'ca.crt') }),
    });

    expect(JSON.parse(stdout)).toMatchObject({
      findings: expect.arrayContaining([
        {
          subject: 'tls',
          level: 'fine',
          message: expect.any(String),
          facts: { inUse, verified, protocol: inUse ? 'TLSv1.3' : null },
        },
      ]),
    });
  },
);
