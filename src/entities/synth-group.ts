import { defineEntity, p } from '@mikro-orm/core';
import { checks, keys, notBlank } from './checks.ts';
import { creationTime, id, rowVersion } from './columns.ts';
import { incrementsRowVersion } from './triggers.ts';

/** The group of new synths without a group. It is inserted on demand, and can't be deleted. */
export const defaultSynthGroup = {
  id: 'grp_00000001',
  name: 'Default',
  description: 'Grupo padrão para synths sem grupo específico',
} as const;

export const SynthGroupSchema = defineEntity({
  name: 'SynthGroup',
  tableName: 'synth_groups',
  properties: {
    id: id('grp'),
    name: p.text(),
    description: p.text().nullable(),
    ...creationTime,
    ...rowVersion,
  },
  indexes: [
    {
      name: 'idx_synth_groups_created_at_id',
      properties: ['createdAt', 'id'],
      columns: [
        { name: 'createdAt', sort: 'desc' },
        { name: 'id', sort: 'desc' },
      ],
    },
  ],
  checks: checks('synth_groups', { ...keys('id'), ...notBlank('name') }),
  triggers: [incrementsRowVersion],
});

/** A named set of synths. When it is deleted, its synths stay, without a group. */
export class SynthGroup extends SynthGroupSchema.class {}
SynthGroupSchema.setClass(SynthGroup);
