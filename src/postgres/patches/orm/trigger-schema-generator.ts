import type { MikroORM } from '@mikro-orm/core';
import { SqlSchemaGenerator, type DropSchemaOptions, type EntityManager } from '@mikro-orm/postgresql';

/**
 * The ORM's schema generator, which drops the functions of triggers too. The ORM creates one for each trigger of an entity, but drops only
 * the tables, so that `migration:fresh` would fail because the functions exist.
 */
export class TriggerSchemaGenerator extends SqlSchemaGenerator {
  static override register(orm: MikroORM): void {
    orm.config.registerExtension(
      '@mikro-orm/schema-generator',
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- `ormOptions` registers it, and chooses a driver for PostgreSQL
      () => new TriggerSchemaGenerator(orm.em as EntityManager),
    );
  }

  override async getDropSchemaSQL(options: Omit<DropSchemaOptions, 'dropDb'> = {}): Promise<string> {
    const drops = this.getTargetSchema(options.schema)
      .getTables()
      .flatMap((table) =>
        table.getTriggers().map((trigger) => `${this.helper.dropTrigger(table, trigger)};\n`),
      );
    return drops.join('') + (await super.getDropSchemaSQL(options));
  }
}
