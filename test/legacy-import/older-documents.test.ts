import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { synthdb } from '../cli/run.ts';
import type { LegacyRow } from './legacy-file.ts';
import { complete, LegacyWorkshop } from './legacy-workshop.ts';

let workshop: LegacyWorkshop;
beforeAll(async () => void (workshop = await LegacyWorkshop.open()));
beforeEach(() => workshop.empty());
afterAll(() => workshop.close());

const experiments = ['exp_1', 'exp_2'].map((id) => ({ id, ...complete.experiment }));
const execution = (exec_id: string, experiment_id: string | null, completed_at: string) => ({
  exec_id,
  experiment_id,
  topic_name: 't',
  started_at: '2025-03-01T12:00:00Z',
  completed_at,
  model: 'old-model',
});
const research_executions = [
  execution('batch_1', 'exp_1', '2025-03-01T13:00:00Z'),
  execution('batch_2', 'exp_1', '2025-03-02T13:00:00Z'),
  execution('batch_3', 'exp_2', '2025-03-03T13:00:00Z'),
  execution('batch_4', null, '2025-03-04T13:00:00Z'),
];
// As an older version made it; the file of the tests has part of its columns.
const prfaq = `drop table prfaq_metadata; create table prfaq_metadata (
  exec_id text primary key, generated_at text, model text not null default 'gpt-4o-mini', validation_status text not null default 'valid',
  confidence_score real, headline text, one_liner text, faq_count integer default 0, markdown_content text, json_content text,
  status text not null default 'completed', error_message text, started_at text);
  insert into prfaq_metadata (exec_id, generated_at, headline, faq_count, confidence_score, markdown_content, json_content, status) values
    ('batch_1', '2025-03-05T10:00:00Z', 'Old', 1, 0.5, '# Old', '{"q": 1}', 'completed'),
    ('batch_2', '2025-03-06T10:00:00Z', 'New "one"', 3, 0.25, '# New', '{"q": [1.50, 2]}', 'completed'),
    ('batch_3', null, null, 0, null, null, null, 'failed'),
    ('batch_4', '2025-03-06T10:00:00Z', 'Nowhere', 0, null, '# Nowhere', 'no JSON', 'completed')`;
const summaries = `update research_executions set summary_content = 'Summary of ' || exec_id where exec_id <> 'batch_2'`;

const file = (experiment_documents: readonly LegacyRow[] = []): string =>
  workshop.file(
    { experiments, research_executions, experiment_documents },
    { upgraded: true, sql: `${prfaq}; ${summaries}` },
  );
const skip = ['prfaq_metadata', 'research_executions.summary_content'];
const documents = (): Promise<unknown[]> =>
  workshop.rows(
    `select experiment_id, document_type, markdown_content as text, model, status, metadata::text as metadata,
       to_char(generated_at at time zone 'UTC', 'YYYY-MM-DD HH24') as at from experiment_documents order by 1, 2`,
  );

test('the newest completed document of each experiment and type becomes a document', async () => {
  const { result, table } = await workshop.import(file(), { skip });

  expect(result.failures).toEqual([]);
  expect(table('experiment_documents')).toMatchObject({ rows: 3, written: 3, generatedKeys: 3 });
  expect(await documents()).toEqual([
    {
      experiment_id: 'exp_1',
      document_type: 'prfaq',
      text: '# New',
      model: 'gpt-4o-mini',
      status: 'completed',
      metadata:
        '{"content": {"q": [1.50, 2]}, "headline": "New \\"one\\"", "faq_count": 3, "confidence_score": 0.25, "validation_status": "valid"}',
      at: '2025-03-06 10',
    },
    {
      experiment_id: 'exp_1',
      document_type: 'summary',
      text: 'Summary of batch_1',
      model: 'old-model',
      status: 'completed',
      metadata: null,
      at: '2025-03-01 13',
    },
    expect.objectContaining({ experiment_id: 'exp_2', document_type: 'summary', text: 'Summary of batch_3' }),
  ]);
  expect(result.unknown).toEqual([
    { name: 'prfaq_metadata', rows: 3, skipped: true },
    { name: 'research_executions.summary_content', rows: 1, skipped: true },
    { name: 'topic_guides_cache', rows: 0, skipped: false },
  ]);
});

test('an import of documents that is run again finds them', async () => {
  const from = file();
  await workshop.import(from, { skip });

  const { result, table } = await workshop.import(from, { skip });

  expect(result.failures).toEqual([]);
  expect(table('experiment_documents')).toMatchObject({ written: 0, found: 3 });
});

test('a document that the experiment has already stays, and the other one is left behind', async () => {
  const own = {
    id: 'doc_own',
    experiment_id: 'exp_1',
    document_type: 'prfaq',
    markdown_content: 'Own',
    generated_at: '2025-01-01T00:00:00Z',
  };

  const { result } = await workshop.import(file([own]), { skip });

  expect(result.failures).toEqual([]);
  expect(await documents()).toContainEqual(
    expect.objectContaining({ document_type: 'prfaq', text: 'Own', at: '2025-01-01 00' }),
  );
  expect(result.unknown).toContainEqual({ name: 'prfaq_metadata', rows: 4, skipped: true });
});

test('--export-skipped keeps rejected rows with the reason, those that PostgreSQL refuses as well', async () => {
  const from = workshop.file(
    {},
    {
      sql: `drop table synths; create table synths (id text, nome text, created_at text);
      insert into synths values ('a', 'Ana', 'yesterday'), ('b', 'Eva', '2025-03-01T12:00:00Z'), ('b', 'Bia', '2025-03-01T12:00:00Z')`,
    },
  );
  const kept = join(workshop.directory, 'rejected.jsonl');

  const { code } = await synthdb(['import', '--from', from, '--export-skipped', kept], workshop.directory, {
    DATABASE_URL: workshop.database.url,
  });

  expect(code).toBe(1);
  const lines = readFileSync(kept, 'utf8').trimEnd().split('\n');
  expect(lines.map((line): unknown => JSON.parse(line))).toEqual([
    {
      table: 'synths',
      row: expect.objectContaining({ id: 'a', nome: 'Ana', created_at: 'yesterday' }),
      rejected: 'created_at: is not a time in a known format',
    },
    {
      table: 'synths',
      row: expect.objectContaining({ id: 'b', nome: 'Bia' }),
      rejected: expect.stringContaining('synths_pkey'),
    },
  ]);
});

test('what is left behind needs --skip, is kept by --export-skipped, and named in the last line', async () => {
  const from = file();
  const kept = join(workshop.directory, 'kept.jsonl');
  const run = (...args: string[]) =>
    synthdb(['import', '--from', from, ...args], workshop.directory, { DATABASE_URL: workshop.database.url });

  const refused = await run();
  const { code, stdout } = await run('--skip', skip.join(','), '--export-skipped', kept);

  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain(
    'prfaq_metadata (3 rows), research_executions.summary_content (1 rows); skip them with --skip',
  );
  expect(code).toBe(0);
  expect(stdout.trimEnd().split('\n').at(-1)).toBe(
    `Every row is accounted for. Left behind: prfaq_metadata (3 rows), research_executions.summary_content (1 rows), kept in ${kept}.`,
  );
  const lines = readFileSync(kept, 'utf8').trimEnd().split('\n');
  expect(lines.map((line): unknown => JSON.parse(line))).toMatchObject([
    {
      table: 'prfaq_metadata',
      row: { exec_id: 'batch_1', markdown_content: '# Old', confidence_score: 0.5 },
    },
    { table: 'prfaq_metadata', row: { exec_id: 'batch_3', status: 'failed' } },
    { table: 'prfaq_metadata', row: { exec_id: 'batch_4', json_content: 'no JSON' } },
    { table: 'research_executions', row: { exec_id: 'batch_4', summary_content: 'Summary of batch_4' } },
  ]);
});
