import { Migration } from '@mikro-orm/migrations';

/**
 * How a synth fared last is looked up by the synth, across runs; every outcome was scanned for it.
 *
 * Locks: none that stops a reader or a writer, since the index is built and dropped concurrently, outside a transaction.
 * Run again after an interruption it converges: a half-built index is dropped before it is built anew.
 * Going back loses nothing.
 */
export class Migration20261121030500_outcomes_by_synth extends Migration {
  override name = 'Migration20261121030500_outcomes_by_synth';

  override isTransactional(): boolean {
    return false;
  }

  override up(): void {
    this.addSql(`drop index concurrently if exists idx_synth_outcomes_synth_id`);
    this.addSql(`create index concurrently idx_synth_outcomes_synth_id on synth_outcomes (synth_id)`);
  }

  override down(): void {
    this.addSql(`drop index concurrently if exists idx_synth_outcomes_synth_id`);
  }
}
