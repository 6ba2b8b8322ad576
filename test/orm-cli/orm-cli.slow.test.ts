import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { readCatalog } from '../../packages/migrator/src/catalog/catalog.ts';
import { TestServer, type TestDatabase } from '../../src/testing/index.ts';
import type { Run } from '../cli/run.ts';
import { readRows } from '../schema/contents.ts';
import { allMigrations, migrationChain, optionalMigrations } from '../schema/migration-chain.ts';
import { insertBareRows, insertFullRows } from '../schema/rows.ts';
import { Commands, type Loader } from './commands.ts';
import { checkout, service, type Project } from './projects.ts';

const [initial = ''] = migrationChain;
const [last = '', previous = ''] = migrationChain.toReversed();

/** All that a database has, but for the log of migrations. */
async function contents({ orm }: TestDatabase) {
  return { catalog: await readCatalog(orm), rows: await readRows(orm.em) };
}

/** What a run printed, when it ended well. */
async function printed(running: Promise<Run>): Promise<string> {
  const { code, stdout, stderr } = await running;
  if (code !== 0) throw new Error(`exit code ${code}\n${stdout}\n${stderr}`);
  return stdout;
}

/** The names of the migrations in a text, in the order in which they are mentioned after `verb`. */
function named(text: string, verb: string): string[] {
  return [...text.matchAll(new RegExp(`${verb} '?(Migration\\w+)`, 'g'))].map(([, name = '']) => name);
}

type Tool = 'orm' | 'ours';
type Turns = readonly (readonly [down: Tool, up: Tool])[];

const everyTurn: Turns = [
  ['orm', 'orm'],
  ['orm', 'ours'],
  ['ours', 'orm'],
  ['ours', 'ours'],
];

// Each command takes seconds: where only the loader differs, what is loaded is tried, and the rest once.
const projects: readonly [string, () => Promise<Project>, Loader, Turns][] = [
  ['the checkout, loaded by jiti', checkout, 'jiti', [['orm', 'ours']]],
  ['the checkout, loaded by Node alone', checkout, 'node', [['ours', 'orm']]],
  ['a service that installed the package', service, 'node', everyTurn],
];

describe.each(projects)(
  'in %s, with rows in every table of the first migration,',
  (_, make, loader, turns) => {
    const thorough = turns === everyTurn;
    let project: Project;
    let db: TestDatabase;
    let commands: Commands;
    let filled: string[];
    let full: Awaited<ReturnType<typeof contents>>;
    const run = {
      orm: (...args: string[]) => printed(commands.orm(...args)),
      ours: (...args: string[]) => printed(commands.ours(...args)),
    };

    /** Both command lines, and the databases themselves, agree on what is applied. */
    async function expectAgreement(applied: readonly string[]): Promise<void> {
      const pending = migrationChain.filter((name) => !applied.includes(name));
      const [status, list, rest] = await Promise.all([
        run.ours('status', '--json'),
        run.orm('migration:list'),
        run.orm('migration:pending'),
      ]);
      const { migrations } = JSON.parse(status);
      expect(
        migrations.map(({ name, condition }: { name: string; condition: string }) => [name, condition]),
      ).toEqual([
        ...applied.map((name) => [name, 'applied']),
        ...pending.map((name) => [name, 'pending']),
        ...optionalMigrations.map((name) => [name, 'optional']),
      ]);
      expect(named(list, '│')).toEqual(applied);
      expect(named(rest, '│')).toEqual([...pending, ...optionalMigrations]);
      const { stdout } = await commands.ours('check', '--json');
      expect(JSON.parse(stdout)).toMatchObject({
        agrees: pending.length === 0,
        differences: [],
        entities: [],
        unlisted: [],
      });
    }

    /** Reverts what the ORM has applied although it is optional: its comparisons would drop it. */
    async function revertOptional(): Promise<void> {
      await run.ours('down', '--optional', optionalMigrations.join(), '--confirm', db.target.parts.database);
    }

    /** The rows without their versions, which going down to `initial_schema` loses. */
    async function unversioned(): Promise<Record<string, unknown[]>> {
      const tables = filled.map(async (table) => {
        const rows = await db.orm.em.execute(
          `select to_jsonb(t) - 'row_version' as row from "${table}" t order by 1`,
        );
        return [table, rows] as const;
      });
      return Object.fromEntries(await Promise.all(tables));
    }

    beforeAll(async () => {
      [project, db] = await Promise.all([make(), TestServer.shared().createEmptyDatabase()]);
      commands = new Commands(project, db.url, loader);
      await run.orm('migration:up', '--to', initial);
      // Going down to it deletes the tables of later migrations, with their rows.
      filled = Object.keys(await readRows(db.orm.em));
      await run.orm('migration:up');
      await revertOptional();
      await insertBareRows(db.orm.em, filled);
      await insertFullRows(db.orm.em, filled);
      full = await contents(db);
    });
    afterAll(async () => {
      commands[Symbol.dispose]();
      await db.drop();
      await project[Symbol.asyncDispose]();
    });

    test('the ORM has applied every migration', async () => {
      await expectAgreement(migrationChain);
      expect(filled.filter((table) => (full.rows[table] ?? []).length < 2)).toEqual([]);
    });

    test.each(turns)('down by %s and up by %s restore every row', async (down, up) => {
      const { database } = db.target.parts;
      const before = await unversioned();
      await (down === 'orm'
        ? run.orm('migration:down', '--to', initial)
        : run.ours('down', '--to', initial, '--confirm', database));
      await expectAgreement([initial]);
      expect(await unversioned()).toEqual(before);

      await run[up](up === 'orm' ? 'migration:up' : 'up');
      if (up === 'orm') await revertOptional();

      await expectAgreement(migrationChain);
      expect(await contents(db)).toEqual(full);
    });

    test('status and check change nothing and find no difference', async () => {
      expect(await run.orm('migration:check')).toContain('up-to-date');
      expect(await run.orm('schema:update', '--dump')).toContain('up-to-date');
      expect(await run.orm('migration:create')).toContain('up-to-date');
      const debug = await run.orm('debug');
      expect(debug).toContain('database connection successful');
      expect(debug).not.toContain(db.target.parts.password);

      expect(await contents(db)).toEqual(full);
    });

    if (!thorough) return;

    test('one step down and up to a name, by both in turn', async () => {
      const { database } = db.target.parts;
      expect(named(await run.orm('migration:down'), 'Reverted')).toEqual([last]);
      expect(named(await run.ours('down', '--confirm', database), 'reverted')).toEqual([previous]);
      await expectAgreement(migrationChain.slice(0, -2));

      expect(named(await run.orm('migration:up', '--to', previous), 'Applied')).toEqual([previous]);
      expect(named(await run.ours('up', '--to', last), 'applied')).toEqual([last]);
      expect(named(await run.orm('migration:up'), 'Applied')).toEqual(optionalMigrations);
      await revertOptional();

      await expectAgreement(migrationChain);
      expect(await contents(db)).toEqual(full);
    });

    describe('migration:fresh', () => {
      beforeEach(async () => {
        await run.orm('migration:fresh');
        await revertOptional();
      });

      test('empties the tables and applies every migration', async () => {
        const fresh = await contents(db);

        expect(fresh.catalog).toEqual(full.catalog);
        expect(Object.entries(fresh.rows).filter(([, rows]) => rows.length > 0)).toEqual([]);
        await expectAgreement(migrationChain);
      });

      test('its migrations are reverted by synthdb, and applied again by the ORM', async () => {
        await run.ours('down', '--all', '--confirm', db.target.parts.database);
        await expectAgreement([]);

        expect(named(await run.orm('migration:up'), 'Applied')).toEqual(allMigrations);
        await revertOptional();

        await expectAgreement(migrationChain);
        expect((await contents(db)).catalog).toEqual(full.catalog);
      });
    });
  },
);
