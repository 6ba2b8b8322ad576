import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EventSubscriber } from '@mikro-orm/core';
import { Migration } from '@mikro-orm/migrations';
import { FlushMode, MikroORM, defineConfig, type Options } from '@mikro-orm/postgresql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { migrationGap } from 'mikro-orm-safe-migrations';
import { toDataError, withSynthLab, type ServiceConnection } from '../../../src/index.ts';
import { ConstraintNaming } from '../../../src/postgres/orm/constraint-naming.ts';
import { ourEntities } from '../../../src/postgres/orm/entities/our-entities.ts';
import { Experiment } from '../../../src/entities.ts';
import { TestDatabase, anExperiment } from '../../../src/testing/index.ts';
import { optionalMigrations } from '../../schema/migration-chain.ts';
import { Note, createNotes } from './note.ts';

const clientUrl = 'postgresql://app:secret@127.0.0.1:5432/lab';

let db: TestDatabase;
beforeAll(async () => void (db = await TestDatabase.create()));
afterAll(() => db.drop());

/** Returns the names of a service's entity in its database. */
function namesIn(options: Options): string {
  const { tableName, props, indexes } = new MikroORM(options).getMetadata(Note);
  return JSON.stringify([tableName, props.map(({ fieldNames }) => fieldNames), indexes]);
}

describe('the configuration of a service', () => {
  const mine: EventSubscriber = {};
  const extension = { register: () => {} };

  test('is kept in addition to ours', () => {
    const filters = { own: { name: 'own', cond: {} } };
    const options = withSynthLab(
      defineConfig({
        clientUrl,
        entities: [Note, Experiment],
        subscribers: [mine],
        extensions: [extension],
        filters,
        flushMode: FlushMode.ALWAYS,
        schemaGenerator: { ignoreSchema: ['audit'] },
        contextName: 'lab',
      }),
    );

    expect(options).toMatchObject({ filters, flushMode: 'always', contextName: 'lab' });
    expect(options.entities).toEqual([...ourEntities, Note]);
    expect(options.extensions).toContain(extension);
    // Its changes in a flush are checked.
    expect([...(options.subscribers ?? [])][0]).toBe(mine);
    expect(options.schemaGenerator?.ignoreSchema).toEqual(['migrator', 'audit']);
  });

  test('has the defaults of the ORM', () => {
    const options = withSynthLab({ clientUrl });

    expect(options).not.toHaveProperty('flushMode');
    expect(options).not.toHaveProperty('logger');
  });

  test('names the constraints and columns of its own tables', () => {
    expect(namesIn(withSynthLab({ clientUrl, entities: [Note] }))).toBe(
      namesIn({ dbName: 'lab', entities: [Note, ...ourEntities] }),
    );
    expect(withSynthLab({ clientUrl, namingStrategy: ConstraintNaming })).toBeDefined();
  });

  test('has no difference from the migrated schema', async () => {
    await db.orm.em.execute(createNotes);
    const orm = await MikroORM.init(
      withSynthLab({
        clientUrl: db.url,
        entities: [Note],
        schemaGenerator: { skipTables: ['mikro_orm_migrations'] },
      }),
    );
    try {
      expect(await orm.schema.getUpdateSchemaSQL()).toBe('');
    } finally {
      await orm.close();
      await db.orm.em.execute('drop table notes');
    }
  });
});

/** Returns some settings of a transaction of a service with these options. */
async function session(parameters: string, connection?: ServiceConnection): Promise<unknown> {
  const url = new URL(db.url);
  url.search = parameters;
  await using orm = await MikroORM.init(withSynthLab({ clientUrl: url.href }, connection));
  const [row] = await orm.em.fork().transactional((em) =>
    em.execute<object[]>(
      `select current_setting('application_name') as name, current_setting('statement_timeout') as timeout,
                current_setting('work_mem') as memory`,
    ),
  );
  return row;
}

describe('the connections of a service', () => {
  test('use the parameters of the URL, and the settings', async () => {
    const parameters = 'application_name=lab-service&options=-c%20work_mem%3D5MB';

    expect(await session(parameters, { timeouts: { statement: 1_234 } })).toEqual({
      name: 'lab-service',
      timeout: '1234ms',
      memory: '5MB',
    });
  });

  test('fail without the TLS that sslmode requires', async () => {
    const refused = session('sslmode=require').catch((error: unknown) => {
      throw toDataError(error);
    });

    await expect(refused).rejects.toThrow(/no TLS/);
  });

  test('go to DATABASE_URL when no URL is given', () => {
    const before = process.env['DATABASE_URL'];
    process.env['DATABASE_URL'] = 'postgresql://app@db.example:6543/lab';
    try {
      expect(withSynthLab()).toMatchObject({ host: 'db.example', port: 6_543, dbName: 'lab' });
    } finally {
      if (before === undefined) delete process.env['DATABASE_URL'];
      else process.env['DATABASE_URL'] = before;
    }
  });
});

describe('migrations of a service', () => {
  class Migration20270101000000_notes extends Migration {
    override name = 'Migration20270101000000_notes';

    override up(): void {
      this.addSql(createNotes);
    }

    override down(): void {
      this.addSql('drop table notes');
    }
  }

  test('run in addition to ours, with a separate log, up and down', async () => {
    const orm = await MikroORM.init(
      withSynthLab({
        clientUrl: db.url,
        entities: [Note],
        migrations: {
          tableName: 'service_migrations',
          migrationsList: [Migration20270101000000_notes],
          silent: true,
        },
      }),
    );
    try {
      expect((await orm.migrator.up()).map(({ name }) => name)).toEqual(['Migration20270101000000_notes']);
      expect(await migrationGap(db.orm)).toMatchObject({ pending: [], unknown: [] });

      await orm.em.fork().transactional(async (em) => {
        const experiment = anExperiment(em);
        em.create(Note, { id: 'a', text: 'first', experiment });
      });
      await orm.migrator.down();

      expect(await db.orm.em.execute(`select to_regclass('notes') as notes`)).toEqual([{ notes: null }]);
      expect(await db.orm.em.execute('select count(*)::int as n from experiments')).toEqual([{ n: 1 }]);
    } finally {
      await orm.close();
    }
  });

  test('default to ours', async () => {
    const orm = await MikroORM.init(withSynthLab({ clientUrl: db.url }));
    try {
      // The ORM does not know which are optional.
      expect((await orm.migrator.getPending()).map(({ name }) => name)).toEqual(optionalMigrations);
      expect((await orm.migrator.getExecuted()).length).toBeGreaterThan(5);
    } finally {
      await orm.close();
    }
  });

  test('are found in the configured folder', async () => {
    const path = await mkdtemp(join(tmpdir(), 'synthdb-own-migrations-'));
    await writeFile(
      join(path, 'Migration20270101000000_own.mjs'),
      `import { Migration } from '${import.meta.resolve('@mikro-orm/migrations')}';
       export class Migration20270101000000_own extends Migration { up() {} }`,
    );
    const orm = await MikroORM.init(
      withSynthLab({
        clientUrl: db.url,
        migrations: { path, glob: '*.mjs', tableName: 'service_migrations' },
      }),
    );
    try {
      expect((await orm.migrator.getPending()).map(({ name }) => name)).toEqual([
        'Migration20270101000000_own.mjs',
      ]);
    } finally {
      await orm.close();
      await rm(path, { recursive: true });
    }
  });
});
