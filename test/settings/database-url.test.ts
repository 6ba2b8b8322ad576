import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import * as fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { SettingsError } from '../../src/errors.ts';
import {
  buildDatabaseUrl,
  DatabaseTarget,
  parseDatabaseUrl,
  type TargetParts,
} from '../../src/settings/database-url.ts';
import { anyParts, anyText } from './any-parts.ts';
import { readUrls, refusedUrls } from './url-cases.ts';

const parse = (url: string): TargetParts => parseDatabaseUrl(url, 'DATABASE_URL').parts;

const usual: TargetParts = {
  host: 'db',
  port: 5432,
  user: 'ann',
  password: 'secret',
  database: 'lab',
  tls: { mode: 'prefer' },
};

function normalised(url: string): string {
  return buildDatabaseUrl(parse(url));
}

function refusal(url: string): SettingsError {
  try {
    parse(url);
  } catch (error) {
    if (error instanceof SettingsError) return error;
    throw error;
  }
  throw new Error('it was read');
}

describe('parseDatabaseUrl', () => {
  test.each(readUrls)('reads %s', (url, read) => {
    expect(parse(url)).toEqual({ ...usual, ...read });
  });

  test.each(refusedUrls)('refuses %s', (url, says) => {
    const error = refusal(url);

    expect(error.message).toMatch(/^DATABASE_URL /);
    expect(error.message).toContain(says);
    expect(inspect(error, { depth: 9, showHidden: true })).not.toMatch(/canary|can.ary|\bary\b/);
  });

  test('names the file without a valid certificate, and no other', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'certificates-'));
    onTestFinished(() => rm(directory, { recursive: true }));
    const file = join(directory, 'no.pem');
    await writeFile(file, '-----BEGIN CERTIFICATE-----\nnone\n-----END CERTIFICATE-----\n');
    const url = 'postgresql://ann:canary@db/lab?sslmode=verify-full';

    expect(refusal(`${url}&sslrootcert=${file}`).message).toContain(
      `DATABASE_URL has sslrootcert=${file}: the file has no valid certificate`,
    );
    expect(refusal(`${url}&sslrootcert=system&sslcert=${file}&sslkey=${file}`).message).toContain(
      `DATABASE_URL has sslcert=${file}: the file has no valid certificate, or sslkey is not its key`,
    );
  });

  test('reports every problem of the parameters', () => {
    const { problems } = refusal('postgresql://ann@db/lab?sslmode=allow&connect_timeout=x&a=1&b=2');

    expect(problems).toHaveLength(4);
  });

  test('refuses an unencoded "#" anywhere, and never connects to another host', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (before, behind) => {
        const texts = [
          `postgresql://ann:${before}#${behind}@db/lab`,
          `postgresql://${before}#${behind}:x@db/lab`,
          `postgresql://ann:x@db/${before}#${behind}`,
        ];

        for (const text of texts) expect(() => parse(text)).toThrow(SettingsError);
      }),
    );
  });

  test('reads or refuses an unencoded password, and never connects to another host', () => {
    fc.assert(
      fc.property(anyText, (password) => {
        // What looks like an escape is one.
        fc.pre(!password.includes('%'));

        expect(leadsElsewhere(password)).toBe(false);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('buildDatabaseUrl', () => {
  test('round-trips with parseDatabaseUrl', () => {
    fc.assert(
      fc.property(anyParts, (parts) => {
        expect(parse(buildDatabaseUrl(parts))).toEqual(parts);
      }),
      { numRuns: 1_000 },
    );
  });

  test('is idempotent', () => {
    for (const [url] of readUrls) expect(normalised(normalised(url))).toBe(normalised(url));
    fc.assert(
      fc.property(anyParts, (parts) => {
        const once = normalised(buildDatabaseUrl(parts));

        expect(normalised(once)).toBe(once);
      }),
    );
  });

  test.each(['a\0b', '\ud83d'])('refuses %j, which PostgreSQL does not support', (password) => {
    expect(() => buildDatabaseUrl({ ...usual, password })).toThrow(SettingsError);
  });
});

describe('DatabaseTarget', () => {
  const target = parseDatabaseUrl('postgresql://ann:canary@[::1]/lab?sslmode=require', 'DATABASE_URL');

  test('hides the password when printed or serialized', () => {
    expect(inspect(target, { depth: 9, showHidden: true }) + JSON.stringify(target)).not.toContain('canary');
    expect(target.label).toBe('ann@[::1]:5432/lab');
    expect(target.maskedUrl).toBe('postgresql://ann:***@[::1]:5432/lab?sslmode=require');
  });

  test('masks any password', () => {
    fc.assert(
      fc.property(anyParts, (parts) => {
        fc.pre(parts.password !== '');
        const shown = new DatabaseTarget(parts).maskedUrl;

        expect(parse(shown)).toEqual({ ...parts, password: '***' });
      }),
    );
  });

  test.each([
    ['prefer', { optional: true, rejectUnauthorized: false }],
    ['require', { optional: false, rejectUnauthorized: false }],
    ['no-verify', { optional: false, rejectUnauthorized: false }],
    ['verify-full&sslrootcert=system', { optional: false, rejectUnauthorized: true }],
  ] as const)('maps sslmode=%s to %j', (mode, options) => {
    const { tls } = parseDatabaseUrl(`postgresql://ann@db/lab?sslmode=${mode}`, 'DATABASE_URL');

    expect(tls).toMatchObject(options);
  });

  test('uses no TLS with sslmode=disable, nor on a unix socket, as libpq', () => {
    expect(parseDatabaseUrl('postgresql://ann@db/lab?sslmode=disable', 'url').tls).toBe(false);
    expect(parseDatabaseUrl('postgresql://ann@/lab?host=/run&sslmode=require', 'url').tls).toBe(false);
  });
});

/** Whether a password that is not encoded makes a URL of it that is read as something else. */
function leadsElsewhere(password: string): boolean {
  try {
    const read = parse(`postgresql://ann:${password}@db/lab`);
    return read.host !== 'db' || read.database !== 'lab' || read.password !== password;
  } catch (error) {
    return !(error instanceof SettingsError);
  }
}
