import type { EntityManager } from '@mikro-orm/postgresql';
import { unconnected } from '../../../src/postgres/orm/unconnected.ts';
import * as entities from '../../../src/entities.ts';
import * as testing from '../../../src/testing/index.ts';
import { trackedOf } from './row-state.ts';

/** Stages a row of an entity, and the parents that it requires unless they are given. */
export type Factory = (em: EntityManager, overrides?: object) => Record<string, unknown>;

const made: Readonly<Record<string, unknown>> = testing;

/** Each entity by its name, and what stages a row of it. */
export const factories: readonly [name: string, factory: Factory][] = Object.values(entities)
  .flatMap((one) => (typeof one === 'function' ? [one.name] : []))
  .map((name) => {
    const factory = made[`a${name}`] ?? made[`an${name}`];
    if (typeof factory !== 'function') throw new Error(`${name} has no factory`);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- named as the factories are
    return [name, factory as Factory];
  });

/** Those whose rows have something that histories change. A join table has not. */
export const changeable = factories.filter(([, factory]) => {
  const { em } = unconnected();
  const row = factory(em.fork());
  return trackedOf(em.getMetadata().get(row.constructor), row).length > 0;
});
