import type { DatabaseSync } from 'node:sqlite';

/** A document that an older version kept with an execution, and that becomes one of the execution's experiment. */
export interface ExpectedDocument {
  /** The table or column that it was in. */
  readonly from: string;
  readonly execution: string;
  readonly document: {
    readonly experiment: string;
    readonly type: 'prfaq' | 'summary';
    readonly text: string;
    readonly model: string;
    readonly time: string;
    readonly metadata: unknown;
  };
}

/** Returns the documents that an import must make, found by SQL: the newest of each experiment and type that has none. */
export function expectedDocuments(file: DatabaseSync): ExpectedDocument[] {
  const columns = (table: string): string[] =>
    file
      .prepare('select name from pragma_table_info(?)')
      .all(table)
      .map(({ name }) => String(name));
  const executions = columns('research_executions');
  if (!executions.includes('experiment_id')) return [];
  const without = (type: string): string =>
    columns('experiment_documents').length === 0
      ? 'true'
      : `not exists (select 1 from experiment_documents d where d.experiment_id = e.experiment_id and d.document_type = '${type}')`;
  const found: ExpectedDocument[] = [];
  if (columns('prfaq_metadata').length > 0) {
    const rows = file
      .prepare(
        `select p.*, e.experiment_id, max(coalesce(p.generated_at, p.started_at)) as time
         from prfaq_metadata p join research_executions e on e.exec_id = p.exec_id
         where p.status = 'completed' and trim(p.markdown_content) <> '' and e.experiment_id is not null and ${without('prfaq')}
         group by e.experiment_id`,
      )
      .all();
    for (const row of rows) {
      found.push({
        from: 'prfaq_metadata',
        execution: String(row['exec_id']),
        document: {
          experiment: String(row['experiment_id']),
          type: 'prfaq',
          text: String(row['markdown_content']),
          model: String(row['model']),
          time: String(row['time']),
          metadata: {
            headline: row['headline'],
            one_liner: row['one_liner'],
            faq_count: row['faq_count'],
            confidence_score: row['confidence_score'],
            validation_status: row['validation_status'],
            content: JSON.parse(String(row['json_content'])),
          },
        },
      });
    }
  }
  if (executions.includes('summary_content')) {
    const rows = file
      .prepare(
        `select e.exec_id, e.experiment_id, e.summary_content, e.model, max(coalesce(e.completed_at, e.started_at)) as time
         from research_executions e
         where trim(e.summary_content) <> '' and e.experiment_id is not null and ${without('summary')} group by e.experiment_id`,
      )
      .all();
    for (const row of rows) {
      found.push({
        from: 'research_executions.summary_content',
        execution: String(row['exec_id']),
        document: {
          experiment: String(row['experiment_id']),
          type: 'summary',
          text: String(row['summary_content']),
          model: String(row['model']),
          time: String(row['time']),
          metadata: null,
        },
      });
    }
  }
  return found;
}

/** Returns the documents whose type names where they came from, with the type that they get; null for those that stay behind. */
export function laterDocuments(file: DatabaseSync): { id: unknown; type: string | null }[] {
  const { n } =
    file
      .prepare(
        `select count(*) n from pragma_table_info('experiment_documents') where name = 'document_type'`,
      )
      .get() ?? {};
  if (n !== 1) return [];
  return file
    .prepare(
      `with kinds as (select *, iif(document_type like '%summary', 'summary', 'prfaq') as kind from experiment_documents
         where document_type glob 'research_*' or document_type glob 'exploration_*')
       select id, iif(row_number() over (partition by experiment_id, kind order by status = 'completed' desc, generated_at desc) = 1
         and not exists (select 1 from experiment_documents d where d.experiment_id = k.experiment_id and d.document_type = kind), kind, null)
         as type from kinds k`,
    )
    .all()
    .map(({ id, type }) => ({ id, type: type === null ? null : String(type) }));
}
