import { Migration } from '@mikro-orm/migrations';

// Those without a version so far.
const unversioned = [
  'synth_groups',
  'synths',
  'analysis_runs',
  'synth_outcomes',
  'analysis_cache',
  'research_executions',
  'transcripts',
  'scenario_nodes',
  'chart_insights',
  'sensitivity_results',
  'region_analyses',
  'feature_scorecards',
  'simulation_runs',
];

const all = [...unversioned, 'experiments', 'interview_guide', 'experiment_documents', 'explorations'];

/**
 * Two units of work that edit a row at once lose an update unless the row has a version, and every table has rows that can be read to be
 * changed. A trigger raises the version wherever a statement changes a row without raising it, so that no way to write is missed, also
 * not that of a service which runs an older version of this package meanwhile.
 *
 * Locks: each of the seventeen tables exclusively, until the end of a transaction that takes milliseconds; a constant default rewrites
 * no row.
 * Going back loses the versions of thirteen tables, and versions are raised only by those who write; going forward again starts the
 * thirteen at 1.
 */
export class Migration20261129163000_version_every_table extends Migration {
  static readonly loses = unversioned.map((table) => `${table}.row_version: going back drops it`);

  override name = 'Migration20261129163000_version_every_table';

  override up(): void {
    for (const table of unversioned)
      this.addSql(`alter table ${table} add column row_version int not null default 1`);
    // Exactly as the ORM writes it from the entities, so that the two agree to the letter.
    for (const table of all) {
      this.addSql(
        `create function ${table}_raise_row_version_fn() returns trigger as $$ begin if new.row_version = old.row_version and new is distinct from old then new.row_version := old.row_version + 1; end if; return new; end; $$ language plpgsql`,
      );
      this.addSql(
        `create trigger raise_row_version before update on ${table} for each row execute function ${table}_raise_row_version_fn()`,
      );
    }
  }

  override down(): void {
    for (const table of all.toReversed()) {
      this.addSql(`drop trigger raise_row_version on ${table}`);
      this.addSql(`drop function ${table}_raise_row_version_fn()`);
    }
    for (const table of unversioned.toReversed()) this.addSql(`alter table ${table} drop column row_version`);
  }
}
