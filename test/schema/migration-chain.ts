/** Every migration, in order. Written by hand, as the rest of the schema: nothing here may be derived from the code. */
export const migrationChain = [
  'Migration20261121030000_initial_schema',
  'Migration20261121030100_domain_checks',
  'Migration20261121030200_exploration_tree_rules',
  'Migration20261121030300_row_versions',
  'Migration20261121030400_read_path_indexes',
  'Migration20261121030500_outcomes_by_synth',
  'Migration20261129163000_version_every_table',
];
