import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MikroORM } from '@mikro-orm/postgresql';
import { expect, test } from 'vitest';
import { migrationList } from '../src/cli/list-migration.ts';
import { ormOptions } from '../src/postgres/orm/orm-options.ts';
import { migrations } from '../src/migrations.ts';
import { readMigrations } from '../packages/migrator/src/ledger/state.ts';
import { parseDatabaseUrl } from '../src/settings/database-url.ts';
import { migrationChain } from './schema/migration-chain.ts';

const source = join(import.meta.dirname, '../src');
const orm = new MikroORM(ormOptions(parseDatabaseUrl('postgresql://nobody@localhost/none', 'url')));

test('the list has every file of src/migrations, in the order of the chain', async () => {
  const files = (await readdir(join(source, 'migrations'))).map((file) => file.replace(/\.ts$/, ''));

  expect(migrations.map((Class) => Class.name)).toEqual(migrationChain);
  expect(
    files.filter((name) => !migrationChain.includes(name)),
    'add to src/migrations.ts, and to test/schema/migration-chain.ts',
  ).toEqual([]);
});

test('each migration is logged under the name of its file, also where a bundler renames its class', () => {
  const names = migrations.map((Class) => {
    const Renamed = class extends Class {};
    return new Renamed(orm.em.getDriver(), orm.config).name;
  });

  expect(names).toEqual(migrationChain);
});

test('the list is the text that creating a migration writes', async () => {
  expect(await readFile(join(source, 'migrations.ts'), 'utf8')).toBe(
    migrationList('migrations', migrationChain),
  );
});

// Databases have them in their history. One that differs would be refused as edited there.
test('the checksums are those with which databases were migrated', async () => {
  const read = await readMigrations(orm);

  expect(Object.fromEntries(read.map(({ name, checksum }) => [name, checksum]))).toEqual({
    Migration20261121030000_initial_schema:
      'd96358bcdb619a5de8ed2ecd3eec81725d45e749c56a30de9c831a1ae8e63e5a',
    Migration20261121030100_domain_checks: 'eb30b1a052a9cc6b3307f6bef71510e71f2369ac131264b89141065f22592777',
    Migration20261121030200_exploration_tree_rules:
      'fabbffa020e45bfd52a2e9d6596211f4b0f37bb038d627f1c73eec4cdb3a248f',
    Migration20261121030300_row_versions: '394e9e752ddfaa2c0889b19a93243cff936e707fc3bcded425c8caae23bf7b7b',
    Migration20261121030400_read_path_indexes:
      '7e0cb6a2b7374a9ae65686bc9d8c4f0c0b11a7883f291a577b7194ffbf88d0f4',
    Migration20261121030500_outcomes_by_synth:
      '041e6fd27d26dca7defed7db9a0d7ebbf5d8130dc4335398b7074ebfecd6380c',
    Migration20261129163000_version_every_table:
      '937892f2e1e3b7300bfd905a3634bd92c15247d84e929936e7d639bdb51e44a8',
  });
});
