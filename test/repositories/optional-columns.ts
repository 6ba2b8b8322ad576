import { ReferenceKind, type EntityManager, type EntityProperty } from '@mikro-orm/postgresql';
import * as entities from '../../src/entities.ts';
import { ShapedJson } from '../../src/json/shaped-json.ts';
import { documents } from '../entities/documents.ts';

/** Gives each row that is staged a value in every column that may be NULL and is; to what it belongs stays as it is. */
export function fillOptionalColumns(em: EntityManager): void {
  for (const [index, row] of [...em.getUnitOfWork().getPersistStack()].entries()) {
    for (const [prop, entity] of optionalProps(em, row)) {
      if (prop.kind !== ReferenceKind.SCALAR) continue;
      const made: unknown = Reflect.get(row, prop.name);
      Reflect.set(row, prop.name, valueFor(`${entity}.${prop.name}`, prop, index, made));
    }
  }
}

/**
 * Leaves NULL in each row that is staged whatever may be NULL. To what it belongs is taken from the first row of each table only, so
 * that the others can still be found by it.
 */
export function emptyOptionalColumns(em: EntityManager): void {
  const met = new Set<string>();
  for (const row of em.getUnitOfWork().getPersistStack()) {
    for (const [prop, entity] of optionalProps(em, row)) {
      if (prop.kind === ReferenceKind.SCALAR || !met.has(entity)) Reflect.set(row, prop.name, null);
    }
    met.add(row.constructor.name);
  }
}

function optionalProps(em: EntityManager, row: object): [EntityProperty, string][] {
  const { className, props } = em.getMetadata().get(row.constructor);
  return props.filter(({ nullable }) => nullable).map((prop) => [prop, className]);
}

/** A value that the column takes, another one for each index; of a document without an example, what its factory made. */
function valueFor(name: string, prop: EntityProperty, index: number, made: unknown): unknown {
  const { customType, enum: isEnum, items = [], runtimeType, columnTypes } = prop;
  if (customType instanceof ShapedJson) {
    const document = exampleOf(customType) ?? made;
    if (document != null) return document;
    throw new Error(`${name} is never set: have the factory set it, or add its shape to documents.ts`);
  }
  if (isEnum) return items[0];
  if (runtimeType === 'string') return `text ${index}`;
  if (runtimeType === 'number') return columnTypes[0] === 'double precision' ? 1 / (2 + index) : index;
  if (runtimeType === 'boolean') return true;
  if (runtimeType === 'instant') return new Date();
  throw new Error(`${name} has no value: add one of its type to ${import.meta.filename}`);
}

function exampleOf({ shape }: ShapedJson): unknown {
  const [name = ''] = Object.entries(entities).find(([, exported]) => Object.is(exported, shape)) ?? [];
  return new Map<string, unknown>(Object.entries(documents)).get(name);
}
