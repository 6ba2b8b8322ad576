import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { SettingsError } from '../../src/errors.ts';
import { parseDatabaseUrl } from '../../src/settings/database-url.ts';

const parse = (url: string) => parseDatabaseUrl(url, 'DATABASE_URL').parts;

describe('parseDatabaseUrl', () => {
  test.each([
    'postgres',
    'postgresql',
    'PostgreSQL',
    'postgresql+psycopg',
    'postgresql+psycopg2',
    'postgresql+asyncpg',
    'postgres+pg8000',
  ])('reads the scheme %s as PostgreSQL', (scheme) => {
    expect(parse(`${scheme}://ann:secret@db:6543/lab`)).toMatchObject({
      host: 'db',
      port: 6543,
      user: 'ann',
      password: 'secret',
      database: 'lab',
    });
  });

  test.each(['mysql', 'sqlite', 'postgresqlx', 'postgres+mysql'])(
    'refuses the scheme %s by its name',
    (scheme) => {
      expect(() => parse(`${scheme}://ann:secret@db/lab`)).toThrow(scheme);
    },
  );

  test('decodes what is percent-encoded', () => {
    const password = 'p@ss:/?#[]%é漢🔑 postgres://';

    expect(parse(`postgresql://a%40b:${encodeURIComponent(password)}@db/my%20lab`)).toMatchObject({
      user: 'a@b',
      password,
      database: 'my lab',
    });
  });

  test('takes 5432 and a database named like the user where the URL is silent', () => {
    expect(parse('postgresql://ann@db')).toMatchObject({
      port: 5432,
      database: 'ann',
      password: '',
      tls: { mode: 'prefer' },
    });
  });

  test('reads an IPv6 literal', () => {
    expect(parse('postgresql://ann@[::1]:5433/lab')).toMatchObject({ host: '::1', port: 5433 });
  });

  test.each([
    ['a raw "#" in the password', 'postgresql://ann:se#cret@db/lab'],
    ['a raw "@" in the password', 'postgresql://ann:canary@canary@db/lab'],
    ['a raw "/" in the password', 'postgresql://ann:can/ary@db/lab'],
    ['a raw "?" in the password', 'postgresql://ann:can?ary@db/lab'],
    ['a password that is a raw "?" first', 'postgresql://ann:?canary@db/lab'],
    ['a raw "?" and a known parameter', 'postgresql://ann:can?connect_timeout=canary@db/lab'],
    ['a parameter that is no name', 'postgresql://ann:x@db/lab?canary!=1'],
    ['a stray "%"', 'postgresql://ann:canary%zz@db/lab'],
    ['several hosts', 'postgresql://ann:canary@one,two/lab'],
    ['no host', 'postgresql:///lab'],
    ['no user', 'postgresql://db/lab'],
    ['no URL at all', 'canary'],
    ['nothing', ''],
    ['a port out of range', 'postgresql://ann:canary@db:65536/lab'],
    ['a parameter that would be dropped', 'postgresql://ann:canary@db/lab?pool=3'],
    ['an unknown sslmode', 'postgresql://ann:canary@db/lab?sslmode=maybe'],
    [
      'a certificate file that is not there',
      'postgresql://ann:canary@db/lab?sslmode=verify-full&sslrootcert=/none.pem',
    ],
    ['a timeout that is no number', 'postgresql://ann:canary@db/lab?connect_timeout=soon'],
  ])('refuses %s, and shows no password', (_, url) => {
    let thrown: unknown;

    try {
      parse(url);
    } catch (error) {
      thrown = error;
    }

    expect(thrown).toBeInstanceOf(SettingsError);
    expect(inspect(thrown)).not.toMatch(/canary|secret|se#cret|\bary\b/);
  });

  test('encrypts nothing for sslmode=disable', () => {
    expect(parse('postgresql://ann@db/lab?sslmode=disable').tls).toBe(false);
  });

  test.each([
    ['require', false],
    ['no-verify', false],
    ['verify-ca', true],
    ['verify-full', true],
  ])('encrypts for sslmode=%s, and verifies the server: %s', (mode, rejectUnauthorized) => {
    expect(parse(`postgresql://ann@db/lab?sslmode=${mode}`).tls).toMatchObject({ rejectUnauthorized });
  });

  test('a target shows no password when it is printed or serialised', () => {
    const target = parseDatabaseUrl('postgresql://ann:canary@db/lab', 'DATABASE_URL');

    expect(inspect(target, { depth: 9, showHidden: true }) + JSON.stringify(target)).not.toContain('canary');
    expect(target.label).toBe('ann@db:5432/lab');
  });
});
