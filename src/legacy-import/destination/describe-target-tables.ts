import type { EntityMetadata, EntityProperty, MetadataStorage } from '@mikro-orm/postgresql';
import { ShapedJson } from '../../json/shaped-json.ts';
import { parseCheck, type CheckRule } from './parse-check.ts';
import { legacyColumns } from './legacy-columns.ts';
import type { ColumnType, TargetColumn, TargetTable } from './target-table.ts';

const types: Partial<Record<string, ColumnType>> = {
  text: 'text',
  int: 'integer',
  'double precision': 'double',
  'timestamptz(6)': 'time',
  jsonb: 'json',
};

/** Returns the tables that the old system had too, with its columns, parents before children. */
export function describeTargetTables(metadata: MetadataStorage): TargetTable[] {
  const tables = [...metadata.getAll().values()].flatMap((meta) => {
    const names = legacyColumns[meta.tableName];
    return names ? [describe(meta, names)] : [];
  });
  return parentsFirst(tables.toSorted((first, second) => (first.name < second.name ? -1 : 1)));
}

function describe(meta: EntityMetadata, names: readonly string[]): TargetTable {
  const rules = Map.groupBy(
    meta.checks.flatMap(({ name = '', expression }) => parseCheck(name, expression) ?? []),
    ({ column }) => column,
  );
  const props = meta.props.filter(
    ({ fieldNames }) => fieldNames?.length === 1 && fieldNames.every((name) => names.includes(name)),
  );
  const columns = props.map((prop) => {
    const checks = rules.get(prop.fieldNames[0] ?? '') ?? [];
    return describeColumn(
      prop,
      checks.map(({ rule }) => rule),
    );
  });
  return {
    name: meta.tableName,
    columns,
    key: meta.getPrimaryProps().flatMap((prop) => prop.fieldNames),
    keyPrefix: keyPrefixOf(meta),
    parent: columns.find(({ references }) => references?.table === meta.tableName)?.name,
  };
}

function describeColumn(prop: EntityProperty, rules: readonly CheckRule[]): TargetColumn {
  const [name = ''] = prop.fieldNames;
  const [given = ''] = prop.columnTypes;
  const type = types[given];
  if (!type)
    throw new Error(
      `column ${name} has the unsupported type ${given}; supported: ${Object.keys(types).join(', ')}`,
    );
  const parent = prop.targetMeta?.tableName;
  return {
    name,
    type,
    nullable: prop.nullable ?? false,
    // Only constants: another default would differ between runs.
    default: prop.default == null ? undefined : String(prop.default),
    rules,
    shape: prop.customType instanceof ShapedJson ? prop.customType : undefined,
    references: parent === undefined ? undefined : { table: parent, nulled: prop.deleteRule === 'set null' },
  };
}

/** Returns `out` of `out_<UUIDv7>`: the prefix of the keys that the entity generates. */
function keyPrefixOf(meta: EntityMetadata): string | undefined {
  const [key, ...others] = meta.getPrimaryProps();
  if (others.length > 0 || !key?.onCreate) return undefined;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a key's generator uses neither row nor manager
  const generated = String((key.onCreate as () => unknown)());
  return generated.slice(0, generated.lastIndexOf('_'));
}

function parentsFirst(tables: readonly TargetTable[]): TargetTable[] {
  const ordered = new Set<TargetTable>();
  const visit = (table: TargetTable): void => {
    for (const { references } of table.columns) {
      const parent = tables.find(({ name }) => name === references?.table);
      if (parent && parent !== table && !ordered.has(parent)) visit(parent);
    }
    ordered.add(table);
  };
  for (const table of tables) visit(table);
  return [...ordered];
}
