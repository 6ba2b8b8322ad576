import { defineEntity, EntitySchema, p, type EntityMetadata } from '@mikro-orm/core';
import { expect, test } from 'vitest';
import { ourEntities } from '../../src/postgres/orm/entities/our-entities.ts';
import { Experiment, Synth } from '../../src/entities.ts';
import { repositories } from '../../src/repositories/index.ts';
import { isJoinTable } from '../schema/join-table.ts';

/** The names of the entities that lack a repository. A join table needs none. */
function withoutRepository(metas: readonly EntityMetadata[]): string[] {
  const served: ReadonlySet<unknown> = new Set(Object.values(repositories).map(([entity]) => entity));
  return metas
    .filter((meta) => !served.has(meta.class) && !isJoinTable(meta))
    .map(({ className }) => className);
}

test('every entity has a repository in the record', () => {
  const metas = ourEntities.flatMap((entity) => EntitySchema.REGISTRY.get(entity)?.meta ?? []);

  expect(metas).toHaveLength(ourEntities.length);
  expect(withoutRepository(metas)).toEqual([]);
});

test('an entity without a repository is named, unless it is a join table', () => {
  const joined = defineEntity({
    name: 'ExperimentSynth',
    properties: {
      experiment: () => p.manyToOne(Experiment).primary(),
      synth: () => p.manyToOne(Synth).primary(),
    },
  });
  const note = defineEntity({
    name: 'Note',
    properties: { experiment: () => p.manyToOne(Experiment).primary(), number: p.integer().primary() },
  });

  expect(withoutRepository([joined.meta, note.meta])).toEqual(['Note']);
});
