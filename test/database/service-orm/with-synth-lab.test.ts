import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  EntityCaseNamingStrategy,
  UnderscoreNamingStrategy,
  type EntityMetadata,
  type EventSubscriber,
} from '@mikro-orm/core';
import { Migration } from '@mikro-orm/migrations';
import { FlushMode, MikroORM, PostgreSqlDriver, defineConfig, type Options } from '@mikro-orm/postgresql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { migrationGap } from 'mikro-orm-safe-migrations';
import { SettingsError, toDataError, withSynthLab, type ServiceConnection } from '../../../src/index.ts';
import { HouseNaming } from '../../../src/postgres/orm/naming.ts';
import { ourEntities } from '../../../src/postgres/orm/entities/our-entities.ts';
import { Experiment } from '../../../src/entities.ts';
import { TestDatabase, anExperiment } from '../../../src/testing/index.ts';
import { Note, createNotes } from './note.ts';

const clientUrl = 'postgresql://app:secret@127.0.0.1:5432/lab';

let db: TestDatabase;
beforeAll(async () => void (db = await TestDatabase.create()));
afterAll(() => db.drop());

function problemsOf(options: object, connection?: object): readonly string[] {
  try {
    withSynthLab({ clientUrl, ...options }, connection);
  } catch (error) {
    if (error instanceof SettingsError) return error.problems;
    throw error;
  }
  throw new Error('should be refused');
}

class OtherDriver extends PostgreSqlDriver {}

class Prefixing extends UnderscoreNamingStrategy {
  override propertyToColumnName(property: string): string {
    return `c_${super.propertyToColumnName(property)}`;
  }
}

describe('what contradicts', () => {
  test.for<[name: string, options: object, says: RegExp]>([
    ['a driver', { driver: OtherDriver }, /^driver is OtherDriver, .*leave it out$/],
    [
      'a host',
      { host: 'elsewhere' },
      /^host is not allowed in the options of withSynthLab: write it into clientUrl$/,
    ],
    [
      'a port',
      { port: 5433 },
      /^port is not allowed in the options of withSynthLab: write it into clientUrl$/,
    ],
    [
      'a user',
      { user: 'other' },
      /^user is not allowed in the options of withSynthLab: write it into clientUrl$/,
    ],
    [
      'a password',
      { password: 'other-secret' },
      /^password is not allowed in the options of withSynthLab: write it into clientUrl$/,
    ],
    [
      'a database',
      { dbName: 'other' },
      /^dbName is not allowed in the options of withSynthLab: write it into clientUrl$/,
    ],
    [
      'a pool',
      { pool: { max: 3 } },
      /^pool is not allowed in the options of withSynthLab: give the second argument/,
    ],
    [
      'options of the driver',
      { driverOptions: { ssl: true } },
      /^driverOptions is not allowed in the options of withSynthLab: .* sslmode/,
    ],
    [
      'replicas',
      { replicas: [{ host: 'replica' }] },
      /^replicas is not allowed in the options of withSynthLab: .* replicaUrls/,
    ],
    [
      'variables of the ORM',
      { preferEnvVars: true },
      /^preferEnvVars is not allowed in the options of withSynthLab: .* DATABASE_URL$/,
    ],
    [
      'transactions switched off',
      { disableTransactions: true },
      /^disableTransactions is not allowed in the options of withSynthLab: .* rolled back$/,
    ],
    ['names of other columns', { namingStrategy: Prefixing }, /would change tables .*experiments/],
    [
      'names as entities have them',
      { namingStrategy: EntityCaseNamingStrategy },
      /would change tables .*experiments/,
    ],
    ['another schema for all', { schema: 'app' }, /would change tables .*experiments/],
    [
      'a hook that changes our tables',
      { discovery: { onMetadata: (meta: EntityMetadata) => void (meta.tableName = `x_${meta.tableName}`) } },
      /would change tables .*experiments/,
    ],
    [
      'other rules of references',
      { schemaGenerator: { defaultUpdateRule: 'cascade' } },
      /would change tables .*analysis_runs/,
    ],
  ])('%s is refused', ([, options, says]) => {
    expect(problemsOf(options)).toEqual([expect.stringMatching(says)]);
  });

  test('is named all at once, and no value of it', () => {
    const problems = problemsOf({ host: 'elsewhere', password: 'other-secret', dbName: 'other' });

    expect(problems).toHaveLength(3);
    expect(problems.join()).not.toMatch(/secret|elsewhere/);
  });

  test('in the URL or the settings is refused as openDatabase refuses it', () => {
    expect(problemsOf({ clientUrl: `${clientUrl}?sslmode=maybe` })).toEqual([
      expect.stringContaining('sslmode'),
    ]);
    expect(problemsOf({}, { pool: { max: 0 } })).toEqual([expect.stringContaining('pool.max')]);
    expect(problemsOf({}, { poolMode: 'external', pool: { idleTimeout: 1 } })).toEqual([
      expect.stringContaining('idleTimeout'),
    ]);
  });
});

/** What a service's entity is called in its database. */
function namesIn(options: Options): string {
  const { tableName, props, indexes } = new MikroORM(options).getMetadata(Note);
  return JSON.stringify([tableName, props.map(({ fieldNames }) => fieldNames), indexes]);
}

describe('what a service has', () => {
  const mine: EventSubscriber = {};
  const extension = { register: () => {} };

  test('is kept beside ours', () => {
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
    // What it makes of a flush is guarded.
    expect([...(options.subscribers ?? [])][0]).toBe(mine);
    expect(options.schemaGenerator?.ignoreSchema).toEqual(['migrator', 'audit']);
  });

  test('and does not say is as the ORM has it', () => {
    const options = withSynthLab({ clientUrl });

    expect(options).not.toHaveProperty('flushMode');
    expect(options).not.toHaveProperty('logger');
  });

  test('names its own tables, whose constraints and columns are as they were', () => {
    expect(namesIn(withSynthLab({ clientUrl, entities: [Note] }))).toBe(
      namesIn({ dbName: 'lab', entities: [Note, ...ourEntities] }),
    );
    expect(withSynthLab({ clientUrl, namingStrategy: HouseNaming })).toBeDefined();
  });

  test('drifts from nothing: the schema that the ORM wants is the one that is there', async () => {
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

/** Some settings of a transaction of a service that connects so. */
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

describe('its connections', () => {
  test('honour the parameters of the URL, and the settings', async () => {
    const parameters = 'application_name=lab-service&options=-c%20work_mem%3D5MB';

    expect(await session(parameters, { timeouts: { statement: 1_234 } })).toEqual({
      name: 'lab-service',
      timeout: '1234ms',
      memory: '5MB',
    });
  });

  test('are not made without the TLS that sslmode asks for', async () => {
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

  test('run beside ours, from a log of their own, up and down', async () => {
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

  test('of a service that says nothing are ours', async () => {
    const orm = await MikroORM.init(withSynthLab({ clientUrl: db.url }));
    try {
      expect(await orm.migrator.getPending()).toEqual([]);
      expect((await orm.migrator.getExecuted()).length).toBeGreaterThan(5);
    } finally {
      await orm.close();
    }
  });

  test('are found where it says that they are', async () => {
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
