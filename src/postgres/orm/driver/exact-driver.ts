import type { EntityMetadata, EntityProperty, FindOptions, PopulateOptions } from '@mikro-orm/core';
import { PostgreSqlDriver, raw } from '@mikro-orm/postgresql';
import { exactColumn } from '../../../wire/exact-column.ts';
import { isOurs } from '../entities/our-entities.ts';

type BuiltQuery<T extends object> = ReturnType<typeof PostgreSqlDriver.prototype.createQueryBuilder<T>>;

/**
 * The ORM's driver, which reads rows of our entities in forms that do not depend on settings of the session. The ORM does so for joined rows
 * only. A type can request it for all rows, but then also in conditions and orders, where it would prevent the use of indexes.
 */
export class ExactDriver extends PostgreSqlDriver {
  protected override buildFields<T extends object>(
    meta: EntityMetadata<T>,
    populate: PopulateOptions<T>[],
    joined: PopulateOptions<T>[],
    query: BuiltQuery<T>,
    alias: string,
    options: Pick<FindOptions<T>, 'strategy' | 'fields' | 'exclude'>,
    schema?: string,
  ) {
    const fields = super.buildFields(meta, populate, joined, query, alias, options, schema);
    if (!isOurs(meta)) return fields;
    const props = propsOf(meta);
    return fields
      .flatMap((field) => (field === '*' ? meta.props.filter(isColumn).map(({ name }) => name) : [field]))
      .map((field) => exactField(props.get(field), `"${alias}".`) ?? field);
  }

  override createQueryBuilder<T extends object>(
    ...given: Parameters<typeof PostgreSqlDriver.prototype.createQueryBuilder<T>>
  ): BuiltQuery<T> {
    const query = super.createQueryBuilder(...given);
    const { meta } = query.mainAlias;
    if (!meta || !isOurs(meta)) return query;
    const props = propsOf(meta);
    const returning = query.returning.bind(query);
    // An upsert returns the columns that it has not set.
    return Object.assign(query, {
      returning: (fields: Parameters<typeof returning>[0] = []) =>
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- fields, or raw ones of the same names
        returning([fields].flat().map((field: unknown) => exactField(props.get(field)) ?? field) as never),
    });
  }
}

const propsByName = new WeakMap<EntityMetadata, ReadonlyMap<unknown, EntityProperty>>();

function propsOf(meta: EntityMetadata): ReadonlyMap<unknown, EntityProperty> {
  let props = propsByName.get(meta);
  if (!props) propsByName.set(meta, (props = new Map(meta.props.map((prop) => [prop.name, prop]))));
  return props;
}

function exactField(prop: EntityProperty | undefined, table = '') {
  const exact = prop && exactColumn(prop, `${table}"${prop.fieldNames?.[0]}"`);
  return exact == null ? null : raw(exact);
}

function isColumn({ fieldNames, persist }: EntityProperty): boolean {
  return fieldNames?.length > 0 && persist !== false;
}
