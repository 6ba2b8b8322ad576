import {
  JsonType,
  type ChangeSet,
  type EntityMetadata,
  type EntityProperty,
  type EventArgs,
  type EventSubscriber,
  type FlushEventArgs,
  type Platform,
  type TransformContext,
} from '@mikro-orm/core';
import type { z } from 'zod';
import { bringGuard } from '../guards/bring-guard.ts';
import { checkDocument, checkShape } from './check-shape.ts';
import { comparableText } from './document-text.ts';
import { sameDocument } from './same-document.ts';
import { keepDigits } from './stored-digits.ts';

/**
 * The type of a checked `jsonb` column. It checks the documents of statements that pass by a flush, and brings `JsonShapeGuard` to
 * every ORM that has such a column, which checks those of flushes.
 */
export abstract class ShapedJson extends JsonType {
  /** What the column holds. */
  abstract get shape(): z.ZodType;

  /** @throws InvalidJsonError when `document` does not have the column's shape. */
  checkShape(document: unknown): void {
    checkShape(this.#column, this.shape, document);
  }

  /**
   * Returns the text that is stored.
   *
   * @throws InvalidJsonError when `document` can't be stored, or does not have the column's shape.
   */
  check(document: unknown): string {
    return checkDocument(this.#column, this.shape, document);
  }

  override getColumnType(property: EntityProperty, platform: Platform): string {
    bringGuard(platform, JsonShapeGuard);
    return super.getColumnType(property, platform);
  }

  override convertToDatabaseValue(
    document: unknown,
    platform: Platform,
    context?: TransformContext,
  ): string | null {
    if (document == null) return super.convertToDatabaseValue(document, platform, context);
    // `query-data` is what `nativeUpdate`, `insertMany`, `upsert` and query builders write. In its other modes, the ORM converts what it
    // compares: rows that were merely loaded, too, which may be older than the shape.
    return context?.mode === 'query-data' ? this.check(document) : comparableText(document);
  }

  // A document whose keys are in another order is the same `jsonb`.
  override compareValues(one: unknown, other: unknown): boolean {
    return (
      one === other || (typeof one === 'string' && typeof other === 'string' && sameDocument(one, other))
    );
  }

  get #column(): string {
    return `${this.meta?.tableName}.${this.prop?.fieldNames[0]}`;
  }
}

/**
 * Checks each JSON document that a flush is about to write, and no other: a row from before its shape was tightened can still be
 * read, and its other columns changed.
 */
class JsonShapeGuard implements EventSubscriber {
  /** @throws InvalidJsonError before anything is sent. */
  onFlush({ uow }: FlushEventArgs): void {
    for (const change of uow.getChangeSets()) {
      const { entity, meta, payload } = change;
      keepStoredDigits(change);
      for (const [name, type] of documentsOf(meta, payload)) {
        const document: unknown = Reflect.get(entity, name);
        if (document != null) Reflect.set(payload, name, type.check(document));
      }
    }
  }

  /** @throws InvalidJsonError before anything is sent. */
  beforeUpsert({ entity, meta }: EventArgs<object>): void {
    // Of plain data, the column's type checks it.
    if (!(entity instanceof meta.class)) return;
    for (const [name, type] of documentsOf(meta, entity)) {
      const document: unknown = Reflect.get(entity, name);
      if (document != null) type.check(document);
    }
  }
}

/** Has the documents that a flush writes keep the digits of those in whose place they are stored. */
export function keepStoredDigits({ entity, meta, payload, originalEntity }: ChangeSet<object>): void {
  for (const [name] of documentsOf(meta, payload)) {
    const [document, stored]: unknown[] = [
      Reflect.get(entity, name),
      originalEntity && Reflect.get(originalEntity, name),
    ];
    if (typeof stored === 'string') keepDigits(document, stored);
  }
}

function documentsOf(meta: EntityMetadata, written: object): [name: string, type: ShapedJson][] {
  return meta.props.flatMap(({ name, customType }) =>
    name in written && customType instanceof ShapedJson ? [[name, customType]] : [],
  );
}
