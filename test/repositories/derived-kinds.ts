import { AsyncLocalStorage } from 'node:async_hooks';
import { ReferenceKind, type EntityProperty } from '@mikro-orm/core';
import { z } from 'zod';
import { ShapedJson } from '../../src/json/shaped-json.ts';
import { unconnected } from '../../src/postgres/orm/unconnected.ts';
import { LegacyReader } from '../../src/repositories/legacy/legacy-reader.ts';
import type { AnyReadModel } from '../../src/repositories/read-model/read-model.ts';
import { Repository } from '../../src/repositories/repository.ts';
import { cursorPageOf, orNull, pageOf, type AnyKind } from './kinds.ts';

const asked = new AsyncLocalStorage<Set<AnyReadModel>>();

for (const { prototype } of [Repository, LegacyReader]) {
  const ask: unknown = Reflect.get(prototype, 'ask');
  if (typeof ask !== 'function') throw new Error('repositories ask read models by another method now');
  Reflect.set(prototype, 'ask', function askAndRecord(this: unknown, model: AnyReadModel) {
    asked.getStore()?.add(model);
    return Reflect.apply(ask, this, [model]);
  });
}

/** Runs `call`, and adds the read models that it asks to `models`. */
export function recording<T>(models: Set<AnyReadModel>, call: () => T): T {
  return asked.run(models, call);
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

const metadata = [...unconnected().getMetadata()];

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
