import type {
  Configuration,
  DriverException,
  EntityDictionary,
  EntityMetadata,
  EntityName,
  FilterQuery,
  NativeInsertUpdateManyOptions,
  QueryResult,
  UpsertManyOptions,
} from '@mikro-orm/core';
import { isRaw } from '@mikro-orm/postgresql';
import { DataError } from '../errors.ts';
import { DataErrorConnection } from './data-errors/data-error-connection.ts';
import { ExactDriver } from './exact-driver.ts';
import { isOurs } from './our-entities.ts';
import { quoteDocuments } from './quoted-documents.ts';

/**
 * The driver, on connections that can throw `DataError`s, and with one difference: a batch of changed rows of ours is joined with its new
 * values. The ORM writes a `case` for each column with a `when` for each row, and PostgreSQL tries them all on every row.
 */
export class JoinedUpdates extends ExactDriver {
  protected override readonly connection = new DataErrorConnection(this.config);

  constructor(config: Configuration) {
    super(config);
    quoteDocuments(this.platform);
  }

  override convertException(exception: Error): DriverException {
    if (!(exception instanceof DataError)) return super.convertException(exception);
    // The ORM throws what this returns, and looks at nothing of it.
    return exception;
  }

  override nativeUpdateMany<T extends object>(
    entity: EntityName<T>,
    where: FilterQuery<T>[],
    rows: EntityDictionary<T>[],
    options: NativeInsertUpdateManyOptions<T> & UpsertManyOptions<T> = {},
  ): Promise<QueryResult<T>> {
    const meta = this.metadata.get<T>(entity);
    const keys = where.map((found) => keyOf(meta, found));
    const columns =
      options.upsert || !isOurs(meta) || keys.includes(undefined) ? null : changedColumns(meta, rows);
    if (!columns) return super.nativeUpdateMany(entity, where, rows, options);
    const table = this.getTableName(meta, options);
    return super.nativeUpdateMany(entity, where, rows, options, (_sql, parameters) => {
      const values = keys.flatMap((key, index) => [
        key,
        ...columns.flatMap((column) => valueOf(column, rows[index])),
      ]);
      parameters.splice(0, parameters.length, ...values);
      return joinedUpdate(table, meta, columns, keys.length);
    });
  }
}

/** The key that `where` asks for; undefined when it is not a text in one column, or not all that is asked for. */
function keyOf(meta: EntityMetadata, where: unknown): string | undefined {
  const [property, ...others] = meta.primaryKeys;
  if (typeof where !== 'object' || where === null || property === undefined || others.length > 0)
    return undefined;
  const key: unknown = Reflect.get(where, property);
  return typeof key === 'string' && Object.keys(where).length === 1 ? key : undefined;
}

interface ChangedColumn {
  /** The name of the entity's property. */
  readonly property: string;
  readonly name: string;
  readonly type: string;
  /** Whether it changed in some of the rows only, each of which then says so. */
  readonly inSome: boolean;
}

/** The columns that have changed; null when their values are not plain. */
function changedColumns<T extends object>(
  meta: EntityMetadata<T>,
  rows: readonly EntityDictionary<T>[],
): ChangedColumn[] | null {
  const columns: ChangedColumn[] = [];
  for (const { name: property, fieldNames = [], columnTypes = [] } of meta.props) {
    const changed = rows.filter((row) => property in row);
    if (changed.length === 0) continue;
    const [name, ...others] = fieldNames;
    const [type] = columnTypes;
    if (!name || !type || others.length > 0 || changed.some((row) => isRaw(Reflect.get(row, property))))
      return null;
    columns.push({ property, name, type, inSome: changed.length < rows.length });
  }
  return columns;
}

function valueOf<T>({ property, inSome }: ChangedColumn, row: EntityDictionary<T> = {}): unknown[] {
  const value: unknown = Reflect.get(row, property) ?? null;
  return inSome ? [value, property in row] : [value];
}

function joinedUpdate(
  table: string,
  meta: EntityMetadata,
  columns: readonly ChangedColumn[],
  count: number,
): string {
  const [key] = meta.getPrimaryProps();
  const keyName = key?.fieldNames[0];
  const names = [`"${keyName}"`];
  const types = [key?.columnTypes[0]];
  const set: string[] = [];
  for (const { name, type, inSome } of columns) {
    names.push(`"${name}"`);
    types.push(type);
    if (inSome) {
      names.push(`"${name} changed"`);
      types.push('boolean');
    }
    set.push(
      inSome
        ? `"${name}" = case when new."${name} changed" then new."${name}" else ${table}."${name}" end`
        : `"${name}" = new."${name}"`,
    );
  }
  const returned = [keyName];
  for (const version of meta.props.filter((prop) => prop.version).flatMap((prop) => prop.fieldNames)) {
    set.push(`"${version}" = ${table}."${version}" + 1`);
    returned.push(version);
  }
  // The first row tells of which types they are.
  const typed = `(${types.map((type) => `?::${type}`).join(', ')})`;
  const row = `, (${types.map(() => '?').join(', ')})`;
  return (
    `update ${table} set ${set.join(', ')} from (values ${typed}${row.repeat(count - 1)}) new (${names.join(', ')}) ` +
    `where ${table}."${keyName}" = new."${keyName}" returning ${returned.map((name) => `${table}."${name}"`).join(', ')}`
  );
}
