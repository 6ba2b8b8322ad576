import type { MikroORM } from '@mikro-orm/core';
import { SqlSchemaGenerator, type EntityManager } from '@mikro-orm/postgresql';

/** Drops the functions of triggers too. The ORM's own generator leaves them behind, and migrations can't create them a second time. */
export class SchemaGenerator extends SqlSchemaGenerator {
  static override register(orm: MikroORM): void {
    orm.config.registerExtension(
      '@mikro-orm/schema-generator',
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the core's type does not say which driver it has
      () => new SchemaGenerator(orm.em as EntityManager),
    );
  }

  override async getDropSchemaSQL(
    options: Parameters<SqlSchemaGenerator['getDropSchemaSQL']>[0] = {},
  ): Promise<string> {
    const triggers = this.getTargetSchema(options.schema)
      .getTables()
      .flatMap((table) => table.getTriggers().map((trigger) => this.helper.dropTrigger(table, trigger)));
    return [...triggers, await super.getDropSchemaSQL(options)].join(';\n');
  }
}
