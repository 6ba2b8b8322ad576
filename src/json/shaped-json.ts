import {
  JsonType,
  type ChangeSet,
  type EntityMetadata,
  type EntityProperty,
  type EventArgs,
  type FlushEventArgs,
  type Platform,
  type TransformContext,
} from '@mikro-orm/core';
import type { z } from 'zod';
import { registerGuard, type BatchSubscriber } from '../guards/register-guard.ts';
import { checkDocument, checkShape } from './check-shape.ts';
import { comparableText } from './document-text.ts';
import { sameDocument } from './same-document.ts';
import { rememberDigits } from './stored-digits.ts';

/**
 * The type of a checked `jsonb` column. It checks the documents of statements that bypass the flush. In every ORM with such a column, it
 * registers `JsonShapeGuard`, which checks the documents of flushes.
 */
export abstract class ShapedJson extends JsonType {
  /** The shape of the column's documents. */
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
    registerGuard(platform, JsonShapeGuard);
    return super.getColumnType(property, platform);
  }

  override convertToDatabaseValue(
    document: unknown,
    platform: Platform,
    context?: TransformContext,
  ): string | null {
    if (document == null) return super.convertToDatabaseValue(document, platform, context);
    // In mode `query-data`, `nativeUpdate`, `insertMany`, `upsert` and query builders write the value. In other modes, the ORM compares it,
    // also for rows that are only loaded, which may be older than the shape.
    return context?.mode === 'query-data' ? this.check(document) : comparableText(document);
  }

  // `jsonb` ignores the order of keys.
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
 * Checks only the JSON documents that a flush is about to write. A stored document that does not match a stricter shape can still be read,
 * and the other columns of its row can be changed.
 */
class JsonShapeGuard implements BatchSubscriber {
  readonly acceptsBatches = true;
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
    // The column's type checks documents in plain data.
    if (!(entity instanceof meta.class)) return;
    for (const [name, type] of documentsOf(meta, entity)) {
      const document: unknown = Reflect.get(entity, name);
      if (document != null) type.check(document);
    }
  }
}

/** Makes the documents that a flush writes keep the digits of the stored documents that they replace. */
export function keepStoredDigits({ entity, meta, payload, originalEntity }: ChangeSet<object>): void {
  for (const [name] of documentsOf(meta, payload)) {
    const [document, stored]: unknown[] = [
      Reflect.get(entity, name),
      originalEntity && Reflect.get(originalEntity, name),
    ];
    if (typeof stored === 'string') rememberDigits(document, stored);
  }
}

const documents = new WeakMap<EntityMetadata, readonly (readonly [name: string, type: ShapedJson])[]>();

function documentsOf(meta: EntityMetadata, written: object): (readonly [name: string, type: ShapedJson])[] {
  let known = documents.get(meta);
  if (!known) {
    known = meta.props.flatMap(({ name, customType }) =>
      customType instanceof ShapedJson ? [[name, customType] as const] : [],
    );
    documents.set(meta, known);
  }
  return known.filter(([name]) => name in written);
}
