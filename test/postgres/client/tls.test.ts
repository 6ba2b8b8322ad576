import { once } from 'node:events';
import { connect as dial, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { connect } from '../../../src/postgres/orm/connect.ts';
import { ConnectionError, SettingsError } from '../../../src/errors.ts';
import { parseDatabaseUrl } from '../../../src/settings/database-url.ts';
import { TlsServer } from './tls-server.ts';

let server: TlsServer;
beforeAll(async () => {
  server = await TlsServer.start();
  await server.makeRole('visitor', 'canary');
});
afterAll(() => server.stop());

/** Returns whether the server sees a connection of this URL as encrypted, or the reason why it failed. */
async function outcomeOf(given: string): Promise<string> {
  try {
    const orm = await connect(parseDatabaseUrl(given, 'url'), { pool: { max: 1 } });
    const [seen] = await orm.em.execute<{ ssl: boolean }[]>(
      'select ssl from pg_stat_ssl where pid = pg_backend_pid()',
    );
    await orm.close(true);
    return seen?.ssl ? 'encrypted' : 'clear';
  } catch (error) {
    if (error instanceof SettingsError) return 'refused setting';
    if (!(error instanceof ConnectionError)) throw error;
    return (
      /certificate|no TLS|does not allow this role to log in|no answer in time/.exec(error.message)?.[0] ??
      error.message
    );
  }
}

const place = { 'right name': 'localhost', 'wrong name': '127.0.0.1' } as const;
const roots = { 'right CA': 'ca.crt', 'wrong CA': 'other-ca.crt', 'no CA': undefined } as const;

function url(parameters: Record<string, string | undefined>, host: string = place['right name']): string {
  const given = Object.entries(parameters).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${value}`],
  );
  return `postgresql://visitor:canary@${host}:${server.target.parts.port}/postgres?${given.join('&')}`;
}

const rootOf = (ca: keyof typeof roots): string | undefined =>
  roots[ca] && join(server.certificates, roots[ca]);

// See https://www.postgresql.org/docs/current/libpq-ssl.html. Without TLS at the server no name is verified.
const [yes, no, bad, unset] = ['encrypted', 'clear', 'certificate', 'refused setting'];
const none = 'no TLS';
const table = {
  //            TLS, right name    TLS, wrong name    no TLS
  //            right wrong no     right wrong no     right wrong no CA
  disable: [
    [no, no, no],
    [no, no, no],
    [no, no, no],
  ],
  allow: [
    [unset, unset, unset],
    [unset, unset, unset],
    [unset, unset, unset],
  ],
  prefer: [
    [yes, no, yes],
    [yes, no, yes],
    [no, no, no],
  ],
  require: [
    [yes, bad, yes],
    [yes, bad, yes],
    [none, none, none],
  ],
  'no-verify': [
    [yes, bad, yes],
    [yes, bad, yes],
    [none, none, none],
  ],
  'verify-ca': [
    [yes, bad, unset],
    [yes, bad, unset],
    [none, none, unset],
  ],
  'verify-full': [
    [yes, bad, unset],
    [bad, bad, unset],
    [none, none, unset],
  ],
};
const cases = Object.entries(table).flatMap(([sslmode, columns]) =>
  (['right name', 'wrong name', 'no TLS'] as const).flatMap((at, column) =>
    (['right CA', 'wrong CA', 'no CA'] as const).map((ca, row) => ({
      sslmode,
      at,
      ca,
      outcome: columns[column]?.[row],
    })),
  ),
);

describe.each([false, true])('a server with TLS: %s', (encrypts) => {
  beforeAll(() => server.encrypt(encrypts));

  test.each(cases.filter(({ at }) => (at === 'no TLS') !== encrypts))(
    'sslmode=$sslmode, $ca, $at: $outcome',
    async ({ sslmode, at, ca, outcome }) => {
      const host = at === 'no TLS' ? 'localhost' : place[at];

      expect(await outcomeOf(url({ sslmode, sslrootcert: rootOf(ca) }, host))).toBe(outcome);
    },
  );

  test('sslmode defaults to prefer', async () => {
    expect(await outcomeOf(url({}))).toBe(encrypts ? yes : no);
  });
});

describe('the rules of the server', () => {
  const scram = 'all all all scram-sha-256';

  test.each([
    [`hostssl ${scram}`, { disable: 'does not allow this role to log in', prefer: yes, require: yes }],
    [`hostnossl ${scram}`, { disable: no, prefer: no, require: 'does not allow this role to log in' }],
  ])('%s', async (line, expected) => {
    await server.letIn(line);

    const outcomes: Record<string, string> = {};
    for (const sslmode of Object.keys(expected)) outcomes[sslmode] = await outcomeOf(url({ sslmode }));

    expect(outcomes).toEqual(expected);
  });

  test('can require a client certificate', async () => {
    await server.letIn(`hostssl ${scram} clientcert=verify-ca`);
    const own = {
      sslcert: join(server.certificates, 'client.crt'),
      sslkey: join(server.certificates, 'client.key'),
    };

    expect(await outcomeOf(url({ sslmode: 'require', ...own }))).toBe(yes);
    expect(await outcomeOf(url({ sslmode: 'require' }))).toBe('does not allow this role to log in');
    // The key of another certificate is detected before anything is opened.
    expect(await outcomeOf(url({ ...own, sslcert: join(server.certificates, 'ca.crt') }))).toBe(
      'refused setting',
    );
  });
});

describe('sslmode=prefer at a server that', () => {
  let between: Server;
  let accepted: Socket[];
  let answer: (client: Socket, index: number) => void;
  beforeAll(async () => {
    await server.letIn('host all all all scram-sha-256');
    between = createServer((client) => answer(client, accepted.push(client) - 1)).listen(0, '127.0.0.1');
    await once(between, 'listening');
  });
  beforeEach(() => (accepted = []));
  afterAll(() => between.close());

  const outcome = (sslmode: string): Promise<string> => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on a port
    const { port } = between.address() as AddressInfo;
    return outcomeOf(
      `postgresql://visitor:canary@127.0.0.1:${port}/postgres?sslmode=${sslmode}&connect_timeout=1`,
    );
  };
  test.each([
    ['ends the connection', (client: Socket) => client.end()],
    ['cuts it', (client: Socket) => client.resetAndDestroy()],
    ['answers with something else', (client: Socket) => client.end('what?\n'.repeat(9))],
  ])('%s in the handshake continues in clear text, and require does not', async (_, then) => {
    answer = offering(then);

    expect(await outcome('prefer')).toBe(no);
    expect(accepted).toHaveLength(2);
    accepted = [];
    expect(await outcome('require')).not.toMatch(/^(?:clear|encrypted)$/);
  });

  test('is silent in the handshake times out, and is not retried', async () => {
    answer = offering(() => {});

    expect(await outcome('prefer')).toBe('no answer in time');
    expect(accepted).toHaveLength(1);
  });

  test('answers neither yes nor no is refused', async () => {
    answer = (client) => void client.end('E');

    expect(await outcome('prefer')).toContain('Database connection failed');
    expect(accepted).toHaveLength(1);
  });

  test('adds data to its yes is refused', async () => {
    answer = (client) => void client.end('SSELECT');

    expect(await outcome('prefer')).toContain('Database connection failed');
    expect(accepted).toHaveLength(1);
  });

  test('refuses the password does not get it again in clear text', async () => {
    answer = passOn;
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on a port
    const { port } = between.address() as AddressInfo;

    const told = await outcomeOf(`postgresql://visitor:wrong@127.0.0.1:${port}/postgres`);

    expect(told).toContain('the password is wrong');
    expect(accepted).toHaveLength(1);
  });
});

function passOn(client: Socket): void {
  const behind = dial(server.target.parts.port, '127.0.0.1');
  client.pipe(behind).pipe(client);
  for (const side of [client, behind]) side.on('error', () => {});
}

/** Starts a server that offers TLS and calls `then` at the handshake. Later connections are forwarded. */
function offering(then: (client: Socket) => void): (client: Socket, index: number) => void {
  return (client, index) => {
    if (index > 0) return passOn(client);
    client.on('error', () => {});
    client.once('data', () => {
      client.write('S');
      client.once('data', () => then(client));
    });
  };
}
