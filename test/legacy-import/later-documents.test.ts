import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { complete, LegacyWorkshop } from './legacy-workshop.ts';

let workshop: LegacyWorkshop;
beforeAll(async () => void (workshop = await LegacyWorkshop.open()));
beforeEach(() => workshop.empty());
afterAll(() => workshop.close());

const experiments = ['exp_1', 'exp_2'].map((id) => ({ id, ...complete.experiment }));
const document = (
  id: string,
  experiment_id: string,
  document_type: string,
  day: number,
  status = 'completed',
) => ({
  id,
  experiment_id,
  document_type,
  status,
  markdown_content: `# ${id}`,
  generated_at: `2026-01-0${day}T10:00:00Z`,
});

// As in PostgreSQL, where an experiment may have several of a type; the file of the tests holds the rows as well.
const file = (): string =>
  workshop.file(
    {
      experiments,
      experiment_documents: [
        document('doc_1', 'exp_1', 'research_summary', 1),
        document('doc_2', 'exp_1', 'exploration_summary', 2),
        document('doc_3', 'exp_1', 'research_prfaq', 3),
        document('doc_4', 'exp_1', 'exploration_prfaq', 4, 'generating'),
        document('doc_5', 'exp_2', 'summary', 1),
        document('doc_6', 'exp_2', 'research_summary', 6),
        document('doc_7', 'exp_2', 'executive_summary', 7),
      ],
    },
    {
      sql: `alter table experiment_documents add column source_id text;
        update experiment_documents set source_id = 'batch_1' where id in ('doc_2', 'doc_6')`,
    },
  );
const skip = ['experiment_documents.source_id'];

test('the newest document of each experiment and type gets the type, rather a completed one, unless there is one of that type', async () => {
  const from = file();

  const { result, findings } = await workshop.import(from, { skip });

  expect(result.failures).toEqual([]);
  expect(findings).toEqual([]);
  expect(
    await workshop.rows('select id, document_type as type from experiment_documents order by id'),
  ).toEqual([
    { id: 'doc_2', type: 'summary' },
    { id: 'doc_3', type: 'prfaq' },
    { id: 'doc_5', type: 'summary' },
    { id: 'doc_7', type: 'executive_summary' },
  ]);
  // Three rows, and the source of one that came in.
  expect(result.unknown).toEqual([{ name: 'experiment_documents.source_id', rows: 4, skipped: true }]);
  expect(result.notes).toEqual([expect.stringContaining('2 rows of experiment_documents get the type')]);
});

test('what stays behind needs --skip, also where documents have no source', async () => {
  const from = workshop.file({
    experiments,
    experiment_documents: [
      document('doc_1', 'exp_1', 'research_summary', 1),
      document('doc_2', 'exp_1', 'exploration_summary', 2),
    ],
  });

  await expect(workshop.import(from)).rejects.toThrow(
    '--skip experiment_documents.source_id; nothing was written',
  );
  const { result, table } = await workshop.import(from, { skip });

  expect(result.failures).toEqual([]);
  expect(table('experiment_documents')).toMatchObject({ rows: 1, written: 1 });
});

test('an import that is run again finds them', async () => {
  const from = file();
  await workshop.import(from, { skip });

  const { result, table } = await workshop.import(from, { skip });

  expect(result.failures).toEqual([]);
  expect(table('experiment_documents')).toMatchObject({ rows: 4, written: 0, found: 4 });
});
