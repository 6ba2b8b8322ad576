import { Migration } from '@mikro-orm/migrations';

const edited = ['experiments', 'interview_guide', 'experiment_documents', 'explorations'];

/**
 * People edit these rows side by side. A version that every change raises lets the second writer be refused instead of
 * overwriting the first.
 *
 * Locks: each of the four tables exclusively for a moment, one after the other; a constant default rewrites no row.
 * Going back loses the versions; going forward again starts them at 1.
 */
export class Migration20261121030300_row_versions extends Migration {
  override name = 'Migration20261121030300_row_versions';
  static readonly loses = edited.map((table) => `${table}.row_version: how often the row was changed`);

  // One transaction would hold the locks of all tables at once.
  override isTransactional(): boolean {
    return false;
  }

  override up(): void {
    for (const table of edited)
      this.addSql(`alter table ${table} add column row_version int not null default 1`);
  }

  override down(): void {
    for (const table of edited.toReversed()) this.addSql(`alter table ${table} drop column row_version`);
  }
}
