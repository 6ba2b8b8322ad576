import { DatabaseSchema, MikroORM, type Options } from '@mikro-orm/postgresql';
import { ourEntities } from '../../postgres/orm/entities/our-entities.ts';

/** The options that determine how entities become tables. */
export type TableOptions = Pick<Options, 'namingStrategy' | 'schema' | 'discovery' | 'schemaGenerator'>;

/** Returns the names of our tables that `options` would change, compared with `ours`. Opens nothing. */
export function changedTables(ours: Options, options: TableOptions): string[] {
  const expected = tablesOf(ours);
  const found = tablesOf({ ...ours, ...options });
  return [...expected].flatMap(([name, table]) => (found.get(name) === table ? [] : [name]));
}

function tablesOf({ discovery, ...options }: Options): Map<string, string> {
  const orm = new MikroORM({
    ...options,
    entities: [...ourEntities],
    discovery: { ...discovery, skipSyncDiscovery: false },
  });
  const entities = ourEntities.map((entity) => orm.getMetadata(entity));
  const schema = DatabaseSchema.fromMetadata(entities, orm.driver.getPlatform(), orm.config);
  return new Map(schema.getTables().map((table) => [table.name, JSON.stringify(table.toJSON())]));
}
