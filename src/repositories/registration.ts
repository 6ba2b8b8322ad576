import { EntitySchema, type IDatabaseDriver } from '@mikro-orm/core';
import type { AbstractSqlDriver } from '@mikro-orm/postgresql';
import { repositories } from './repositories.ts';
import { checkArguments } from './signatures/index.ts';

type Pair = (typeof repositories)[keyof typeof repositories];

type RepositoryOf<Entity> = Extract<Pair, readonly [Entity, unknown]>[1]['prototype'];

// An entity can't import its repository, which imports the entity. The ORM reads it from the schema when it is needed.
for (const [name, [entity, repository]] of Object.entries(repositories)) {
  checkArguments(repository, name);
  EntitySchema.REGISTRY.get(entity)?.setCustomRepository(() => repository);
}

declare module '@mikro-orm/core' {
  interface EntityManager<Driver extends IDatabaseDriver = IDatabaseDriver> {
    getRepository<Entity extends Pair[0]>(entity: Entity): RepositoryOf<Entity>;
    repo<Entity extends Pair[0]>(entity: Entity): RepositoryOf<Entity>;
  }
}

declare module '@mikro-orm/postgresql' {
  interface SqlEntityManager<Driver extends AbstractSqlDriver = AbstractSqlDriver> {
    getRepository<Entity extends Pair[0]>(entity: Entity): RepositoryOf<Entity>;
  }
}
