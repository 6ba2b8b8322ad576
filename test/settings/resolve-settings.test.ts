import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { SettingsError } from '../../src/errors.ts';
import { definitions } from '../../src/settings/setting-definitions.ts';
import { resolveDatabase, resolveSettings } from '../../src/settings/resolve-settings.ts';
import type { SettingsInput } from '../../src/settings/settings-input.ts';

const url = (database: string): string => `postgresql://ann:canary@db/${database}`;

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'settings-'));
  await writeFile(join(directory, 'package.json'), '{}');
  vi.spyOn(process, 'cwd').mockReturnValue(directory);
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(directory, { recursive: true });
});

const file = (text: string): Promise<void> => writeFile(join(directory, '.env'), text);

/** What is wrong with settings. */
function problems(given: SettingsInput, environment: Record<string, string>): readonly string[] {
  try {
    resolveSettings(given, environment);
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    const shown = inspect(error, { depth: 9, showHidden: true });
    if (shown.includes('canary')) throw new Error('it shows the password', { cause: error });
    return error.problems;
  }
  return [];
}

describe('the source of a setting', () => {
  // Every combination of sources, in ascending order of precedence.
  const places = ['file', 'environment', 'argument'] as const;
  const combinations = Array.from({ length: 8 }, (_, bits) =>
    places.filter((_place, bit) => bits & (1 << bit)),
  );

  test.each(combinations.map((sources) => [sources.join(', ') || 'default', sources] as const))(
    'is the last of: %s',
    async (_, sources) => {
      if (sources.includes('file')) await file(`DATABASE_URL=${url('file')}\nDATABASE_POOL_MAX=1\n`);
      const environment = sources.includes('environment')
        ? { DATABASE_URL: url('environment'), DATABASE_POOL_MAX: '2' }
        : {};
      const given = sources.includes('argument') ? { url: url('argument'), pool: { max: 3 } } : {};

      const settings = resolveSettings(given, environment);

      const winner = sources.at(-1);
      const source = (variable: string): string =>
        winner === undefined
          ? 'default'
          : { file: `${variable} (.env)`, environment: variable, argument: 'argument' }[winner];
      expect(settings.url.value?.parts.database).toBe(winner);
      expect(settings.url.source).toBe(source('DATABASE_URL'));
      expect(settings['pool.max']).toEqual({
        value: winner === undefined ? 10 : places.indexOf(winner) + 1,
        source: source('DATABASE_POOL_MAX'),
      });
    },
  );

  test.each([
    // The environment, the file, and the URL that migrations use with its source.
    [{}, {}, undefined],
    [{ DATABASE_URL: 'app' }, {}, 'app from DATABASE_URL'],
    [{ MIGRATION_DATABASE_URL: 'direct' }, {}, 'direct from MIGRATION_DATABASE_URL'],
    [{ MIGRATION_DATABASE_URL: 'direct', DATABASE_URL: 'app' }, {}, 'direct from MIGRATION_DATABASE_URL'],
    [{}, { DATABASE_URL: 'app' }, 'app from DATABASE_URL (.env)'],
    [{}, { MIGRATION_DATABASE_URL: 'direct' }, 'direct from MIGRATION_DATABASE_URL (.env)'],
    [
      {},
      { MIGRATION_DATABASE_URL: 'direct', DATABASE_URL: 'app' },
      'direct from MIGRATION_DATABASE_URL (.env)',
    ],
    // A variable of the environment overrides every variable of the file.
    [
      { DATABASE_URL: 'set' },
      { MIGRATION_DATABASE_URL: 'file', DATABASE_URL: 'file' },
      'set from DATABASE_URL',
    ],
  ] as const)(
    'migrations, with %j in the environment and %j in the file',
    async (environment, inFile, expected) => {
      await file(
        Object.entries(urlsOf(inFile))
          .map((pair) => pair.join('='))
          .join('\n'),
      );

      const resolved = resolveDatabase({}, 'migrations', urlsOf(environment));

      expect(resolved ? `${resolved.target.parts.database} from ${resolved.source}` : undefined).toBe(
        expected,
      );
    },
  );

  test('a given URL is used for both purposes, and overridden variables are not parsed', () => {
    const settings = resolveSettings(
      { url: url('given') },
      { MIGRATION_DATABASE_URL: 'mysql://a', DATABASE_URL: 'x' },
    );

    expect(settings.migrationUrl).toEqual(settings.url);
  });

  test('a setting without a source is unset', () => {
    expect(resolveDatabase({}, 'application', {})).toBeNull();
    expect(resolveSettings({}, {}).url).toEqual({ value: null, source: 'default' });
  });

  test.each(['embedded', ' embedded\n'])('%j asks for the embedded server', async (value) => {
    await file(`DATABASE_URL=${url('file')}\n`);

    expect(resolveSettings({}, { DATABASE_URL: value }).url).toEqual({ value: null, source: 'DATABASE_URL' });
    expect(resolveSettings({ url: value }, {}).migrationUrl).toEqual({ value: null, source: 'argument' });
    expect(resolveSettings({}, { MIGRATION_DATABASE_URL: value })).toMatchObject({
      url: { value: expect.anything(), source: 'DATABASE_URL (.env)' },
      migrationUrl: { value: null, source: 'MIGRATION_DATABASE_URL' },
    });
  });

  test('a file that can not be read is reported', async () => {
    await mkdir(join(directory, '.env'));

    expect(problems({}, {})).toEqual([expect.stringContaining('.env')]);
  });
});

describe('a blank value', () => {
  const blanks = ['', ' ', '\t\r\n', '\u00a0', '\u2003\u3000', '\u0085', '\u200b', '\ufeff', '\u2028', '\0'];
  const all = Object.entries(definitions).map(([, { variables, blank }]) => [variables[0], blank] as const);
  const of = (blank: string): string[] => all.filter((one) => one[1] === blank).map(([variable]) => variable);

  test('of a setting that decides where or how to connect is refused by its name only', () => {
    expect(of('refused')).toEqual([
      'DATABASE_URL',
      'MIGRATION_DATABASE_URL',
      'REPLICA_DATABASE_URLS',
      'POSTGRES_SSL_MODE',
      'POSTGRES_SSL_ROOT_CERT',
      'DATABASE_POOL_MODE',
    ]);
    for (const variable of of('refused')) {
      for (const blank of blanks) {
        expect(problems({}, { [variable]: blank })).toEqual([
          expect.stringMatching(
            new RegExp(`^${variable} is (?:empty|blank); set a value, or unset it; for example ${variable}=`),
          ),
        ]);
      }
    }
  });

  test('of any other setting means unset, as compose files pass it on', () => {
    const environment = Object.fromEntries(of('unset').map((variable) => [variable, '']));

    expect(resolveSettings({}, environment)).toEqual(resolveSettings({}, {}));
  });

  test('in the environment does not fall back to the file', async () => {
    await file(`MIGRATION_DATABASE_URL=${url('file')}\n`);

    expect(problems({}, { MIGRATION_DATABASE_URL: '' })).toEqual([
      expect.stringMatching(/^MIGRATION_DATABASE_URL is empty/),
    ]);
  });

  test('in the file is refused by name', async () => {
    await file('DATABASE_URL=\n');

    expect(problems({}, {})).toEqual([
      expect.stringMatching(/^DATABASE_URL \(\.env\) is empty; .*; for example DATABASE_URL=/),
    ]);
    expect(problems({ url: url('given') }, {})).toEqual([]);
  });

  test.each([',', ' , ,'])('is refused as a list of replicas: %j', (text) => {
    expect(problems({}, { REPLICA_DATABASE_URLS: text })).toEqual([
      expect.stringMatching(/^REPLICA_DATABASE_URLS is ".*": expected a list of URLs/),
    ]);
  });
});

describe('a value', () => {
  test.each([
    ['DATABASE_POOL_MODE', 'transaction', 'poolMode', 'transaction'],
    ['DATABASE_POOL_MODE', 'external', 'poolMode', 'external'],
    ['DATABASE_POOL_MAX', '1', 'pool.max', 1],
    ['DATABASE_POOL_ACQUIRE_TIMEOUT', '250', 'pool.acquireTimeout', 250],
    ['DATABASE_POOL_IDLE_TIMEOUT', '0', 'pool.idleTimeout', 0],
    ['DATABASE_POOL_MAX_LIFETIME', '60000', 'pool.maxLifetime', 60_000],
    ['DATABASE_STATEMENT_TIMEOUT', '30000', 'timeouts.statement', 30_000],
    ['DATABASE_LOCK_TIMEOUT', '5000', 'timeouts.lock', 5_000],
    ['DATABASE_IDLE_IN_TRANSACTION_TIMEOUT', '1', 'timeouts.idleInTransaction', 1],
    ['DATABASE_MAX_REPLICA_LAG', '0', 'maxReplicaLag', 0],
    ['DATABASE_SLOW_STATEMENT', '250', 'slowStatement', 250],
    ['DATABASE_CLOSE_TIMEOUT', '0', 'closeTimeout', 0],
    ['SQL_ECHO', 'true', 'logStatements', true],
    ['SQL_ECHO', 'True', 'logStatements', true],
    ['SQL_ECHO', '1', 'logStatements', true],
    ['SQL_ECHO', 'false', 'logStatements', false],
    ['SQL_ECHO', '0', 'logStatements', false],
    ['POSTGRES_SSL_MODE', 'require', 'sslMode', 'require'],
    ['POSTGRES_SSL_MODE', 'no-verify', 'sslMode', 'require'],
    ['POSTGRES_SSL_ROOT_CERT', '/ca.pem', 'sslRootCert', '/ca.pem'],
  ] as const)('%s=%s', (variable, text, name, value) => {
    expect(resolveSettings({}, { [variable]: text })[name]).toEqual({ value, source: variable });
  });

  test.each([
    ['DATABASE_POOL_MODE', 'statement'],
    ['DATABASE_POOL_MODE', 'Transaction'],
    ['DATABASE_POOL_MAX', '0'],
    ['DATABASE_POOL_MAX', '-1'],
    ['DATABASE_POOL_MAX', '1.5'],
    ['DATABASE_POOL_MAX', '1e3'],
    ['DATABASE_POOL_MAX', '0x10'],
    ['DATABASE_POOL_MAX', 'many'],
    ['DATABASE_POOL_MAX', '10001'],
    ['DATABASE_POOL_ACQUIRE_TIMEOUT', '0'],
    ['DATABASE_POOL_ACQUIRE_TIMEOUT', '5s'],
    ['DATABASE_STATEMENT_TIMEOUT', '99999999999'],
    ['DATABASE_MAX_REPLICA_LAG', '16MB'],
    ['SQL_ECHO', 'maybe'],
    ['POSTGRES_SSL_MODE', 'allow'],
    ['POSTGRES_SSL_MODE', 'on'],
    ['WORKERS', '4'],
    ['DATABASE_URL', 'mysql://ann:canary@db/lab'],
    ['MIGRATION_DATABASE_URL', 'canary'],
    ['REPLICA_DATABASE_URLS', 'canary'],
    ['DATABASE_POOL_MODE', 'postgresql://ann:canary@db/lab'],
  ])('%s=%s is refused with an example', (variable, text) => {
    const [problem, ...others] = problems({}, { [variable]: text });

    expect(others).toEqual([]);
    expect(problem).toMatch(
      new RegExp(`^${variable}(\\[0\\])? .*${variable === 'WORKERS' ? 'DATABASE_POOL_MAX' : variable}`),
    );
    expect(problem).toMatch(/; for example \w+=\S/);
  });

  test.each([
    [{ pool: { max: 0 } }, 'pool.max is "0"'],
    [{ pool: { max: Number.NaN } }, 'pool.max is "NaN"'],
    [{ pool: { acquireTimeout: Infinity } }, 'pool.acquireTimeout is "Infinity"'],
    [{ timeouts: { lock: 1.5 } }, 'timeouts.lock is "1.5"'],
    [{ url: 'canary' }, 'url is not a URL'],
    [{ url: '' }, 'url is empty; set a value, or unset it; for example url=postgresql://'],
    [{ url: ' \u00a0' }, 'url is blank'],
    [{ url: null }, 'url is "null": expected a string'],
    [{ replicaUrls: [''] }, 'replicaUrls[0] is empty'],
    [{ replicaUrls: [url('a'), 'canary'] }, 'replicaUrls[1] is not a URL'],
  ])('%j as an argument is refused', (given, says) => {
    // @ts-expect-error -- plain JavaScript may give anything
    expect(problems(given, {})).toEqual([expect.stringContaining(says)]);
  });

  test('replicas are separated by spaces, line breaks or commas', () => {
    const urls = [url('a'), url('b'), url('c')];

    const { replicaUrls } = resolveSettings(
      {},
      { REPLICA_DATABASE_URLS: `${urls[0]}, ${urls[1]}\n${urls[2]}` },
    );

    expect(replicaUrls.value.map(({ parts }) => parts.database)).toEqual(['a', 'b', 'c']);
  });

  test('POSTGRES_SSL_MODE and POSTGRES_SSL_ROOT_CERT are defaults of URLs', () => {
    const environment = { POSTGRES_SSL_MODE: 'disable', POSTGRES_SSL_ROOT_CERT: '/none.pem' };
    const modeOf = (given: string): string | undefined =>
      resolveSettings({ url: given }, environment).url.value?.parts.tls.mode;

    expect(modeOf(url('lab'))).toBe('disable');
    expect(() => modeOf(`${url('lab')}?sslmode=require`)).toThrow('/none.pem');
    expect(modeOf(`${url('lab')}?sslmode=verify-full&sslrootcert=system`)).toBe('verify-full');
  });

  test('an invalid default of URLs is reported once, by its own name', () => {
    const urls = {
      DATABASE_URL: url('lab'),
      MIGRATION_DATABASE_URL: url('direct'),
      REPLICA_DATABASE_URLS: `${url('one')} ${url('two')}`,
    };

    expect(problems({}, { ...urls, POSTGRES_SSL_ROOT_CERT: '/none.pem' })).toEqual([
      "POSTGRES_SSL_ROOT_CERT is /none.pem: the file can't be read; for example POSTGRES_SSL_ROOT_CERT=/etc/ssl/database-ca.pem",
    ]);
    expect(problems({}, { ...urls, POSTGRES_SSL_ROOT_CERT: url('pasted') })).toEqual([
      expect.stringMatching(/^POSTGRES_SSL_ROOT_CERT is …: the file can't be read/),
    ]);
    expect(problems({}, { ...urls, POSTGRES_SSL_ROOT_CERT: '/dev/null' })).toEqual([
      expect.stringMatching(/^POSTGRES_SSL_ROOT_CERT is \/dev\/null: .* PEM format/),
    ]);
    expect(problems({}, { ...urls, POSTGRES_SSL_MODE: 'verify-full' })).toEqual([
      expect.stringMatching(/^POSTGRES_SSL_MODE is verify-full: a root certificate is required/),
    ]);
    expect(problems({}, { ...urls, POSTGRES_SSL_MODE: 'require', POSTGRES_SSL_ROOT_CERT: 'system' })).toEqual(
      [expect.stringMatching(/^POSTGRES_SSL_ROOT_CERT is system: .*verify-full/)],
    );
    expect(
      problems({}, { DATABASE_URL: `${url('lab')}?sslrootcert=/none.pem`, POSTGRES_SSL_MODE: 'require' }),
    ).toEqual([expect.stringMatching(/^DATABASE_URL has sslrootcert=\/none\.pem: the file can't be read/)]);
  });

  test('an invalid setting is reported without the name of another', () => {
    const wrong: Record<string, string> = Object.fromEntries(
      Object.values(definitions).map(({ variables: [variable] }) => [variable, 'wrong value']),
    );
    delete wrong['POSTGRES_SSL_ROOT_CERT'];
    for (const [variable, value] of Object.entries(wrong)) {
      const found = problems({}, { [variable]: value });

      expect(found).not.toEqual([]);
      for (const problem of found) {
        const named = problem.match(/\b(?:[A-Z]+_)+[A-Z]+\b/g);
        expect(new Set(named)).toEqual(new Set([variable]));
      }
    }
    // All at once, each is reported as it is alone.
    const apart = Object.entries(wrong).flatMap(([variable, value]) => problems({}, { [variable]: value }));
    expect(problems({}, wrong).toSorted()).toEqual(apart.toSorted());
  });

  test('options in the URL are refused with a pooler in transaction mode', () => {
    const given = { url: `${url('lab')}?options=-csearch_path%3Dlab`, poolMode: 'transaction' } as const;

    expect(problems(given, {})).toEqual([expect.stringContaining('alter role')]);
    expect(problems({ ...given, poolMode: 'session' }, {})).toEqual([]);
  });

  test('every problem is reported by name', () => {
    const environment = {
      WORKERS: '4',
      DATABASE_URL: 'mysql://ann:canary@db/lab',
      MIGRATION_DATABASE_URL: `${url('lab')}?sslmode=allow&foo=1`,
      REPLICA_DATABASE_URLS: `canary ${url('fine')} canary`,
      DATABASE_POOL_MODE: 'x',
      SQL_ECHO: 'x',
    };

    const found = problems({ pool: { max: 0 } }, environment);

    expect(new Set(found.map((problem) => problem.split(' ', 1)[0]))).toEqual(
      new Set([
        'DATABASE_POOL_MODE',
        'DATABASE_URL',
        'MIGRATION_DATABASE_URL',
        'REPLICA_DATABASE_URLS[0]',
        'REPLICA_DATABASE_URLS[2]',
        'SQL_ECHO',
        'WORKERS',
        'pool.max',
      ]),
    );
    expect(found).toHaveLength(9);
    expect(() => resolveSettings({}, environment)).toThrow(/^8 settings are invalid:(\n- .+){8}$/);
  });
});

describe('a .env file', () => {
  test('refuses an unencoded "#" in a password', async () => {
    await file('DATABASE_URL=postgresql://evil:12#@db/lab\n');

    expect(problems({}, {})).toEqual([expect.stringContaining('%23')]);
  });
});

/** The variables, each with the URL of the database that it is to name. */
function urlsOf(names: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(names).map(([name, to]) => [name, to && url(to)]));
}
