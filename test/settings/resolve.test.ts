import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { resolveDatabase } from '../../src/settings/resolve.ts';

const url = (database: string): string => `postgresql://ann:secret@db/${database}`;

describe('resolveDatabase', () => {
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

  test('an argument wins over the environment, and that over the file', async () => {
    await writeFile(join(directory, '.env'), `DATABASE_URL=${url('file')}\n`);
    const environment = { DATABASE_URL: url('environment') };

    expect(resolve({ url: url('argument') }, 'application', environment)).toBe('argument from argument');
    expect(resolve({}, 'application', environment)).toBe('environment from DATABASE_URL');
    expect(resolve({}, 'application', {})).toBe('file from DATABASE_URL (.env)');
  });

  test('migrations go past the pooler where a way is named', () => {
    const both = { DATABASE_URL: url('pooled'), MIGRATION_DATABASE_URL: url('direct') };

    expect(resolve({}, 'migrations', both)).toBe('direct from MIGRATION_DATABASE_URL');
    expect(resolve({}, 'application', both)).toBe('pooled from DATABASE_URL');
    expect(resolve({}, 'migrations', { DATABASE_URL: url('pooled') })).toBe('pooled from DATABASE_URL');
  });

  test('what is set for one command overrules the file, whatever its name', async () => {
    await writeFile(
      join(directory, '.env'),
      `MIGRATION_DATABASE_URL=${url('file')}\nDATABASE_URL=${url('file')}\n`,
    );

    expect(resolve({}, 'migrations', { DATABASE_URL: url('set') })).toBe('set from DATABASE_URL');
  });

  test('nobody having said is an answer, an empty variable is nobody', () => {
    expect(resolve({}, 'application', {})).toBeNull();
    expect(resolve({}, 'application', { DATABASE_URL: '' })).toBeNull();
  });
});

function resolve(
  given: { url?: string },
  purpose: 'application' | 'migrations',
  environment: Record<string, string>,
): string | null {
  const resolved = resolveDatabase(given, purpose, environment);
  return resolved && `${resolved.target.parts.database} from ${resolved.source}`;
}
