import { Migration } from '@mikro-orm/migrations';

/**
 * An exploration has one root and one winner at most; nothing prevented a second of either.
 *
 * Locks: writes to `scenario_nodes` while its two small indexes are built. Fails, naming the exploration, where a second root or
 * winner exists.
 * Going back loses nothing but the rules.
 */
export class Migration20261121030200_exploration_tree_rules extends Migration {
  static readonly refuses = ['scenario_nodes.exploration_id: a second root or winner stops it'];

  override name = 'Migration20261121030200_exploration_tree_rules';
  static readonly lint = {
    'create-index': 'both are partial, of two rows for each exploration; scenario_nodes was small everywhere',
    'drop-index': 'the lock is held for a moment, and lock_timeout limits the wait for it',
  };

  override up(): void {
    this.addSql(
      `create unique index uq_scenario_nodes_root on scenario_nodes (exploration_id) where depth = 0`,
    );
    this.addSql(
      `create unique index uq_scenario_nodes_winner on scenario_nodes (exploration_id) where node_status = 'winner'`,
    );
  }

  override down(): void {
    this.addSql(`drop index uq_scenario_nodes_winner`);
    this.addSql(`drop index uq_scenario_nodes_root`);
  }
}
