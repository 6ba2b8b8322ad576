import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MikroORM } from '@mikro-orm/postgresql';
import { expect, onTestFinished, test } from 'vitest';
import { createMigration } from 'mikro-orm-safe-migrations';
import { TestDatabase } from './kit/database.ts';
import { library } from './entity-changes.ts';

// To fill a disk takes one of one's own.
const isRoot = process.getuid?.() === 0 && process.platform === 'linux';

test.runIf(isRoot)('leaves no partial migration on a full disk', async (context) => {
  const db = await TestDatabase.create();
  const directory = await mkdtemp(join(tmpdir(), 'full-'));
  onTestFinished(async () => {
    await db.drop();
    await rm(directory, { recursive: true });
  });
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16k', 'disk', directory], { stdio: 'ignore' });
  } catch {
    context.skip('no disk of our own can be mounted');
  }
  onTestFinished(() => void execFileSync('umount', [directory]));
  const orm = new MikroORM({
    clientUrl: db.url,
    baseDir: directory,
    preferTs: true,
    entities: library,
    migrations: { path: 'migrations', snapshot: false },
  });
  onTestFinished(() => orm.close(true));
  await writeFile(join(directory, 'filler'), Buffer.alloc(16_384)).catch(() => {});

  await expect(createMigration(orm, 'library')).rejects.toThrow('ENOSPC');

  expect(await readdir(join(directory, 'migrations'))).toEqual([]);
});
