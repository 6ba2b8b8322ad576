import { AsyncLocalStorage } from 'node:async_hooks';
import { ReferenceKind, type EntityProperty } from '@mikro-orm/core';
import { z } from 'zod';
import { ShapedJson } from '../../src/json/shaped-json.ts';
import { createOfflineOrm } from '../../src/postgres/orm/offline-orm.ts';
import { LegacyReader } from '../../src/repositories/legacy/legacy-reader.ts';
import type { AnyReadModel } from '../../src/repositories/read-model/read-model.ts';
import { Repository } from '../../src/repositories/repository.ts';
import { cursorPageOf, orNull, pageOf, type AnyKind } from './kinds.ts';

const readModels = new AsyncLocalStorage<Set<AnyReadModel>>();

for (const { prototype } of [Repository, LegacyReader]) {
  const read: unknown = Reflect.get(prototype, 'read');
  if (typeof read !== 'function') throw new Error('repositories read models by another method now');
  Reflect.set(prototype, 'read', function readAndRecord(this: unknown, model: AnyReadModel) {
    readModels.getStore()?.add(model);
    return Reflect.apply(read, this, [model]);
  });
}

/** Runs `call`, and adds the read models that it reads to `models`. */
export function recording<T>(models: Set<AnyReadModel>, call: () => T): T {
  return readModels.run(models, call);
}

/**
 * What a method gives that asks one read model which shows columns: by its verb, and by the columns' types. `computed` has the kinds of
 * what is no column, by table; what it lacks is a scalar that is never null. Undefined when it can't be derived.
 */
export function derivedKind(
  method: string,
  models: ReadonlySet<AnyReadModel>,
  computed: Readonly<Record<string, Readonly<Record<string, AnyKind>>>>,
): AnyKind | undefined {
  const [verb = ''] = /^[a-z]+/.exec(method) ?? [];
  const [model, ...others] = models;
  if (!model || others.length > 0) return undefined;
  if (verb === 'count') return 'number';
  const row = rowKind(model, computed[model.from] ?? {});
  return row && byVerb[verb]?.(row);
}

type RowKind = Readonly<Record<string, AnyKind>>;

const byVerb: Readonly<Record<string, (row: RowKind) => AnyKind>> = {
  find: orNull,
  get: (row) => row,
  list: (row) => [row],
  page: pageOf,
  scroll: cursorPageOf,
};

function rowKind({ from, select, map }: AnyReadModel, computed: RowKind): RowKind | undefined {
  if (map) return undefined;
  const row: Record<string, AnyKind> = {};
  for (const [property, column] of Object.entries(select)) {
    const kind = typeof column === 'string' ? columnKind(from, column) : (computed[property] ?? anyScalar);
    if (kind === undefined) return undefined;
    row[property] = kind;
  }
  return row;
}

// A number as text is one that the driver did not read: `bigint` or `numeric`.
const anyScalar = z.union([z.boolean(), z.number(), z.string().regex(/\D/)]);

const metadata = [...createOfflineOrm().getMetadata()];

function columnKind(table: string, column: string): AnyKind | undefined {
  const { props = [] } = metadata.find(({ tableName }) => tableName === table) ?? {};
  const property = props.find(({ fieldNames }) => fieldNames?.[0] === column);
  return property && propertyKind(property);
}

function propertyKind({ customType, kind, nullable, runtimeType }: EntityProperty): AnyKind | undefined {
  if (customType instanceof ShapedJson) return nullable ? customType.shape.nullable() : customType.shape;
  const scalar = kind === ReferenceKind.SCALAR ? scalars[runtimeType] : 'string';
  return scalar && (nullable ? (`${scalar} | null` as const) : scalar);
}

const scalars: Readonly<Record<string, 'string' | 'number' | 'boolean' | 'date'>> = {
  string: 'string',
  number: 'number',
  boolean: 'boolean',
  instant: 'date',
};
