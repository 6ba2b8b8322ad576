import type { Difference } from '../catalog/differences.ts';
import type { LoadedMigration } from '../files/code-migration.ts';
import { Harvest } from '../rows/harvest.ts';
import type { Table, TableCatalog } from '../rows/tables.ts';

/** Returns what the statements of migrations and the schemas on both sides say about values. */
export async function harvestOf(
  migrations: readonly LoadedMigration[],
  sides: readonly TableCatalog[],
): Promise<Harvest> {
  const harvest = new Harvest();
  const tables = sides.flatMap((side) => side.tables);
  const columnsOf = (name: string): string[] =>
    tables.find(({ relation }) => relation === name)?.columns.map((column) => column.name) ?? [];
  const directions = migrations.flatMap((migration) =>
    (['up', 'down'] as const).map((direction) => [migration, direction] as const),
  );
  for (const [migration, direction] of directions) {
    // What queries the database is not known before it runs: it may name any table.
    const statements = await migration.emit(direction).catch(() => []);
    if (statements === null) harvest.isDynamic = true;
    for (const sql of statements ?? []) await harvest.addStatements(sql, columnsOf);
  }
  const own = new Harvest();
  const texts = new Set<string>();
  for (const { checks, expressions, columns } of tables) {
    for (const { expression } of checks) texts.add(expression);
    for (const expression of expressions) texts.add(expression);
    for (const column of columns)
      if (column.default !== null) await harvest.addExpression(column.default, [column.name]);
  }
  for (const text of texts) await harvest.addExpression(text);
  for (const { bounds, partitionColumns } of tables)
    for (const bound of new Set(bounds)) await harvest.addBound(bound, partitionColumns);
  for (const { types, tables: some } of sides) {
    for (const type of types.values()) {
      const typed = some.flatMap(({ columns }) => columns.filter((column) => column.type === type.oid));
      for (const check of type.checks)
        await harvest.addExpression(check, ['value', ...typed.map(({ name }) => name)]);
    }
  }
  const bodies = new Set(tables.flatMap((table) => table.bodies));
  for (const body of bodies) await own.addBody(body, columnsOf);
  for (const [column, values] of own.values)
    harvest.values.set(column, new Set([...(harvest.values.get(column) ?? []), ...values]));
  return harvest;
}

/** Returns the tables that a migration touches, by their quoted names: those that it names, or whose parts or types it names or changes. */
export function touchedTables(
  { tables, types }: TableCatalog,
  harvest: Harvest,
  changes: readonly Difference[],
): ReadonlySet<string> {
  const changed = new Set(changes.map(({ object }) => object));
  const isNamed = (name: string): boolean => harvest.words.has(name.toLowerCase());
  const isTouched = ({ label, relation, parts, columns }: Table): boolean =>
    harvest.isDynamic ||
    isNamed(relation) ||
    changed.has(`table ${label}`) ||
    parts.some(isNamed) ||
    columns.some(({ type }) => {
      const found = types.get(type);
      return found !== undefined && ['e', 'd', 'c', 'r'].includes(found.kind) && isNamed(found.base);
    });
  return new Set(tables.filter(isTouched).map(({ name }) => name));
}
