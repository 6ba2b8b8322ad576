import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { connect } from '../../src/postgres/orm/connect.ts';
import { Database } from '../../src/database/database.ts';
import { SourceTimeZone } from '../../src/legacy-import/conversion/source-time-zone.ts';
import { importLegacy } from '../../src/legacy-import/import-legacy.ts';
import { SqliteSource } from '../../src/legacy-import/source/sqlite-source.ts';
import { buildDatabaseUrl, parseDatabaseUrl } from '../../src/settings/database-url.ts';
import { complete, LegacyWorkshop } from './legacy-workshop.ts';

let workshop: LegacyWorkshop;
beforeAll(async () => void (workshop = await LegacyWorkshop.open()));
beforeEach(() => workshop.empty());
afterAll(() => workshop.close());

const experiment = (id: string, columns: object = {}) => ({ id, ...complete.experiment, ...columns });
const run = { id: 'ana_1', experiment_id: 'exp_1', ...complete.run };

test('rows that were rejected are written once an option or the source allows them', async () => {
  const rows = {
    experiments: [experiment('exp_1', { created_at: '2025-03-01T12:00:00' }), experiment('exp_2')],
    analysis_runs: [run, { ...run, id: 'ana_2', experiment_id: 'exp_2', config: '[]' }],
  };
  const zone = new SourceTimeZone('UTC');

  const first = await workshop.import(rows);
  const second = await workshop.import(rows, { zone });
  const third = await workshop.import(
    { ...rows, analysis_runs: [run, { ...run, id: 'ana_2', experiment_id: 'exp_2' }] },
    { zone },
  );

  const counts = [first, second, third].map(({ table }) =>
    ['experiments', 'analysis_runs'].map((name) => {
      const { found, written, rejected } = table(name) ?? {};
      return { found, written, rejected };
    }),
  );
  expect(counts).toEqual([
    [
      { found: 0, written: 1, rejected: 1 },
      { found: 0, written: 0, rejected: 2 },
    ],
    [
      { found: 1, written: 1, rejected: 0 },
      { found: 0, written: 1, rejected: 1 },
    ],
    [
      { found: 2, written: 0, rejected: 0 },
      { found: 1, written: 1, rejected: 0 },
    ],
  ]);
  expect(third.result.failures).toEqual([]);
});

test('a reference becomes NULL in every run, also when only PostgreSQL refuses the row', async () => {
  const rows = {
    // PostgreSQL takes this space for one.
    experiments: [experiment('exp_1', { name: '\u3000' })],
    research_executions: [
      {
        exec_id: 'batch_1',
        experiment_id: 'exp_1',
        topic_name: 't',
        started_at: complete.experiment.created_at,
      },
    ],
  };

  const first = await workshop.import(rows, { nullDangling: true });
  const again = await workshop.import(rows, { nullDangling: true });

  expect(first.findings.map(({ outcome, table }) => [outcome, table])).toEqual([
    ['rejected', 'experiments'],
    ['nulled', 'research_executions'],
  ]);
  expect(again.findings).toEqual(first.findings);
  expect(again.table('research_executions')).toMatchObject({ written: 0, found: 1 });
});

test('verification has no statement timeout', async () => {
  const { target } = workshop.database;
  const url = buildDatabaseUrl({ ...target.parts, options: '-c statement_timeout=300' });
  const orm = await connect(parseDatabaseUrl(url, 'url'));
  try {
    await using source = await SqliteSource.open(workshop.file({ experiments: [experiment('exp_1')] }));
    const em = workshop.database.orm.em.fork();
    await em.begin();
    await em.execute('lock table experiments');
    const imported = importLegacy(source, new Database(orm));
    imported.catch(() => {});
    await em.execute('select pg_sleep(1)');
    await em.rollback();

    expect((await imported).failures).toEqual([]);
  } finally {
    await orm.close(true);
  }
});
