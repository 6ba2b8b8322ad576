/** Keys of what the demo stores. */
export const keys = {
  group: 'grp_demo',
  experiment: 'exp_demo',
  analysis: 'ana_demo',
  exploration: 'expl_demo',
} as const;
