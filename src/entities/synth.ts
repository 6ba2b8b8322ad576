import { defineEntity, p } from '@mikro-orm/core';
import { jsonColumn } from '../json/column.ts';
import { checks, jsonObjects, keys } from './checks.ts';
import { creationTime, id, rowVersion } from './columns.ts';
import { shapes } from './load-shapes.ts';
import { SynthGroup } from './synth-group.ts';
import { incrementsRowVersion } from './triggers.ts';

export const SynthSchema = defineEntity({
  name: 'Synth',
  tableName: 'synths',
  properties: {
    id: id('syn'),
    synthGroup: () => p.manyToOne(SynthGroup).ref().nullable().deleteRule('set null'),
    name: p.text().name('nome').index('idx_synths_nome'),
    description: p.text().name('descricao').nullable(),
    linkPhoto: p.text().nullable(),
    avatarPath: p.text().nullable(),
    ...creationTime,
    version: p.text().default('2.0.0'),
    data: jsonColumn(() => shapes().SynthData).nullable(),
    ...rowVersion,
  },
  indexes: [
    {
      name: 'idx_synths_created_at_id',
      properties: ['createdAt', 'id'],
      columns: [
        { name: 'createdAt', sort: 'desc' },
        { name: 'id', sort: 'desc' },
      ],
    },
    // As an expression: the ORM's comparison reports mixed directions after a relation as a change, each time.
    {
      name: 'idx_synths_synth_group_id_created_at_id',
      expression: `create index "idx_synths_synth_group_id_created_at_id" on "synths" (synth_group_id, created_at desc, id desc)`,
    },
    { name: 'idx_synths_synth_group_id_nome_id', properties: ['synthGroup', 'name', 'id'] },
    {
      name: 'idx_synths_data',
      properties: ['data'],
      expression: `create index "idx_synths_data" on "synths" using gin ("data" jsonb_path_ops)`,
    },
  ],
  checks: checks('synths', { ...keys('id'), ...jsonObjects('data') }),
  triggers: [incrementsRowVersion],
});

/** A synthetic user. Its outcomes and transcripts stay when it is deleted. */
export class Synth extends SynthSchema.class {}
SynthSchema.setClass(Synth);
