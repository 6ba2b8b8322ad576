import { Migration20261121030000_initial_schema } from './migrations/Migration20261121030000_initial_schema.ts';
import { Migration20261121030100_domain_checks } from './migrations/Migration20261121030100_domain_checks.ts';
import { Migration20261121030200_exploration_tree_rules } from './migrations/Migration20261121030200_exploration_tree_rules.ts';
import { Migration20261121030300_row_versions } from './migrations/Migration20261121030300_row_versions.ts';
import { Migration20261121030400_read_path_indexes } from './migrations/Migration20261121030400_read_path_indexes.ts';
import { Migration20261121030500_outcomes_by_synth } from './migrations/Migration20261121030500_outcomes_by_synth.ts';
import { Migration20261129163000_version_every_table } from './migrations/Migration20261129163000_version_every_table.ts';
import { Migration20261130205048_cheaper_triggers } from './migrations/Migration20261130205048_cheaper_triggers.ts';
import { Migration20261201075737_flat_lists } from './migrations/Migration20261201075737_flat_lists.ts';
import { Migration20261201114000_text_search } from './migrations/Migration20261201114000_text_search.ts';

/** Every migration, oldest first. `synthdb migrate create` adds its migration; add a migration that is written by hand. */
export const migrations = [
  Migration20261121030000_initial_schema,
  Migration20261121030100_domain_checks,
  Migration20261121030200_exploration_tree_rules,
  Migration20261121030300_row_versions,
  Migration20261121030400_read_path_indexes,
  Migration20261121030500_outcomes_by_synth,
  Migration20261129163000_version_every_table,
  Migration20261130205048_cheaper_triggers,
  Migration20261201075737_flat_lists,
  Migration20261201114000_text_search,
];
