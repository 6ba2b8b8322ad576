import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { connect } from '../../src/postgres/orm/connect.ts';
import { createOfflineOrm } from '../../src/postgres/orm/offline-orm.ts';
import { ConnectionError, LegacySourceError } from '../../src/errors.ts';
import { SourceTimeZone } from '../../src/legacy-import/conversion/source-time-zone.ts';
import type { ImportFinding } from '../../src/legacy-import/conversion/import-finding.ts';
import {
  importLegacy,
  type ImportResult,
  type TableProgress,
} from '../../src/legacy-import/import-legacy.ts';
import { openLegacySource } from '../../src/legacy-import/source/open-legacy-source.ts';
import { describeTargetTables } from '../../src/legacy-import/destination/describe-target-tables.ts';
import { postgresSchema } from './legacy-shape.ts';
import { complete, LegacyWorkshop } from './legacy-workshop.ts';
import type { LegacyRows } from './legacy-file.ts';

let workshop: LegacyWorkshop;
let name: string;
let url: string;
let reader: string;
beforeAll(async () => {
  workshop = await LegacyWorkshop.open();
  name = `${workshop.database.target.parts.database}_old`;
  await workshop.rows(`create database ${name} template template0`);
  url = workshop.database.url.replace(workshop.database.target.parts.database, name);
  reader = `${name}_reader`;
  await workshop.rows(`create role ${reader} login password 'reader'`);
  await fill();
});
beforeEach(() => workshop.empty());
afterAll(async () => {
  await workshop.rows(`drop database ${name} with (force)`);
  await workshop.rows(`drop role ${reader}`);
  await workshop.close();
});

const at = complete.experiment.created_at;
const rows: LegacyRows = {
  experiments: Array.from({ length: 1_200 }, (_, index) => ({
    // In the order of the keys, as PostgreSQL is read.
    id: `exp_${1_000 + index}`,
    ...complete.experiment,
    status: 'active',
    scorecard_data: index % 3 === 0 ? 'null' : '{"big": 9007199254740993, "b": 1.50, "a": "é😀\\\\"}',
  })),
  analysis_runs: [
    {
      id: 'ana_1',
      experiment_id: 'exp_1001',
      scenario_id: 'baseline',
      config: '{}',
      status: 'failed',
      started_at: at,
      total_synths: 3,
      execution_time_seconds: 0.1,
    },
  ],
  explorations: [
    {
      id: 'expl_1',
      experiment_id: 'exp_1001',
      baseline_analysis_id: 'ana_1',
      ...complete.exploration,
      status: 'running',
      current_depth: 0,
      total_nodes: 0,
      total_llm_calls: 0,
    },
  ],
  scenario_nodes: [
    ['b', 'a'],
    ['a', null],
    ['x', 'y'],
    ['y', 'x'],
  ].map(([id = null, parent_id = null], index) => ({
    id,
    parent_id,
    exploration_id: 'expl_1',
    depth: index,
    node_status: 'active',
    ...complete.node,
  })),
  research_executions: [
    {
      exec_id: 'batch_1',
      topic_name: 't',
      status: 'completed',
      synth_count: 0,
      successful_count: 0,
      failed_count: 0,
      model: 'm',
      max_turns: 6,
      started_at: '2025-03-01T12:00:00.123456',
    },
  ],
};

test('a PostgreSQL source gives the same rows as the SQLite file', async () => {
  const options = { zone: new SourceTimeZone('America/Sao_Paulo'), allowRejected: 2 };

  const fromFile = await workshop.import(rows, options);
  await workshop.empty();
  const [fromPostgres, findings] = await importFrom(url, options);

  expect(fromPostgres).toEqual(fromFile.result);
  expect(fromPostgres.failures).toEqual([]);
  expect(findings).toEqual(fromFile.findings);
});

test('a database with the new schema is refused as a source', async () => {
  await expect(openLegacySource(workshop.database.url)).rejects.toThrow(LegacySourceError);
});

test('settings of the role or the server do not affect reading', async () => {
  const settings = {
    statement_timeout: '300ms',
    idle_in_transaction_session_timeout: '300ms',
    timezone: 'Asia/Kolkata',
    datestyle: 'SQL, DMY',
  };
  await inSource(`grant select on all tables in schema public to ${reader}`);
  for (const [setting, value] of Object.entries(settings))
    await inSource(`alter role ${reader} in database ${name} set ${setting} = '${value}'`);
  await inSource(`alter table experiments alter created_at type timestamptz using created_at::timestamptz`);
  const orm = await connect(workshop.database.target.withDatabase(name));
  try {
    const em = orm.em.fork();
    await em.begin();
    await em.execute('lock table experiments');
    const imported = importFrom(asReader(), { zone: new SourceTimeZone('UTC'), allowRejected: 2 });
    imported.catch(() => {});
    await em.execute('select pg_sleep(1)');
    await em.rollback();
    const [result] = await imported;

    expect(result.failures).toEqual([]);
    expect(await workshop.rows(`select count(*)::int from experiments where created_at = '${at}'`)).toEqual([
      { count: 1_200 },
    ]);
  } finally {
    await orm.close(true);
    await inSource(
      `set timezone = 'UTC'; alter table experiments alter created_at type varchar(50) using replace(created_at::text, '+00', '+00:00')`,
    );
    await inSource(`alter role ${reader} in database ${name} reset all`);
  }
});

test('large documents are fetched one by one, also after many small rows', async () => {
  await inSource(
    `insert into experiments (id, name, hypothesis, status, created_at, scorecard_data)
       select 'exp_z' || i, 'n', 'h', 'active', '${at}', jsonb_build_object('text', repeat('x', 3000000)) from generate_series(1, 4) i`,
  );
  try {
    await using source = await openLegacySource(url);
    const experiments = describeTargetTables(createOfflineOrm().getMetadata()).find(
      (table) => table.name === 'experiments',
    );
    const pieces: number[] = [];
    if (experiments)
      for await (const piece of source.rows(experiments))
        pieces.push(piece.reduce((sum, { values }) => sum + JSON.stringify(values).length, 0));

    expect(pieces.filter((characters) => characters > 3_000_000)).toHaveLength(4);
    expect(Math.max(...pieces)).toBeLessThan(5_000_000);
  } finally {
    await inSource(`delete from experiments where id like 'exp_z%'`);
  }
});

test('a missing privilege throws LegacySourceError that names the source', async () => {
  await inSource(
    `grant select on all tables in schema public to ${reader}; revoke select on transcripts from ${reader}`,
  );

  const imported = importFrom(asReader(), { zone: new SourceTimeZone('UTC'), allowRejected: 2 });

  await expect(imported).rejects.toThrow(LegacySourceError);
  await expect(imported).rejects.toThrow(new RegExp(`${reader}@.*/${name} can't be read: .*"transcripts"`));
});

test('rows that a policy hides from the role make the import fail', async () => {
  await inSource(
    `grant select on all tables in schema public to ${reader}; alter table experiments enable row level security`,
  );
  try {
    const imported = importFrom(asReader(), { allowRejected: 9_999 });
    await expect(imported).rejects.toThrow(LegacySourceError);
    await expect(imported).rejects.toThrow(
      /can't be read: row-level policies hide rows of "experiments" from this role: connect as a role with BYPASSRLS/,
    );
  } finally {
    await inSource('alter table experiments disable row level security');
  }
});

test('a lost source throws LegacySourceError, and the import resumes when it is back', async () => {
  const options = { zone: new SourceTimeZone('UTC'), allowRejected: 2 };
  let cut: Promise<void> | undefined;

  const imported = importFrom(url, options, ({ phase, table, done }) => {
    if (phase === 'importing' && table === 'experiments' && done > 0)
      cut ??= inSource(
        'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
      );
  });

  await expect(imported).rejects.toThrow(LegacySourceError);
  await cut;
  const [again] = await importFrom(url, options);
  expect(again.failures).toEqual([]);
});

test('an unreachable server throws ConnectionError without the password', async () => {
  const source = openLegacySource('postgresql://me:secret@127.0.0.1:1/old');

  await expect(source).rejects.toThrow(ConnectionError);
  await expect(source).rejects.not.toThrow('secret');
});

function asReader(): string {
  const theirs = new URL(url);
  theirs.username = reader;
  theirs.password = 'reader';
  return theirs.href;
}

async function inSource(statement: string): Promise<void> {
  const orm = await connect(workshop.database.target.withDatabase(name));
  try {
    await orm.em.getConnection().execute(statement);
  } finally {
    await orm.close(true);
  }
}

async function importFrom(
  from: string,
  options: object,
  onProgress?: (progress: TableProgress) => void,
): Promise<[ImportResult, ImportFinding[]]> {
  await using source = await openLegacySource(from);
  const findings: ImportFinding[] = [];
  return [
    await importLegacy(source, workshop.database, options, {
      onFinding: (finding) => findings.push(finding),
      onProgress,
    }),
    findings,
  ];
}

async function fill(): Promise<void> {
  const orm = await connect(workshop.database.target.withDatabase(name));
  try {
    await orm.em.getConnection().execute(postgresSchema());
    for (const [table, all] of Object.entries(rows)) {
      const documents = all.map((row) =>
        Object.fromEntries(Object.entries(row).map(([column, value]) => [column, value])),
      );
      const columns = Object.keys(all[0] ?? {});
      const types = columns.map((column) =>
        /^(?:scorecard_data|config|goal|scorecard_params)$/.test(column)
          ? `(s.d ->> '${column}')::jsonb`
          : `s.d ->> '${column}'`,
      );
      await orm.em.getConnection().execute(
        `insert into ${table} (${columns.join(', ')}) select ${types.map((type, index) => cast(type, columns[index] ?? '')).join(', ')}
         from jsonb_array_elements(?::jsonb) s (d)`,
        [JSON.stringify(documents)],
      );
    }
  } finally {
    await orm.close(true);
  }
}

function cast(text: string, column: string): string {
  if (
    /^(?:total_synths|current_depth|total_nodes|total_llm_calls|depth|synth_count|successful_count|failed_count|max_turns)$/.test(
      column,
    )
  )
    return `(${text})::int`;
  return column === 'execution_time_seconds' ? `(${text})::float8` : text;
}
