import {
  JsonType,
  type EntityMetadata,
  type EntityProperty,
  type EventArgs,
  type EventSubscriber,
  type FlushEventArgs,
  type Platform,
  type TransformContext,
} from '@mikro-orm/core';
import { bringGuard } from '../guards/bring-guard.ts';

/**
 * The type of a checked `jsonb` column. It checks the documents of statements that pass by a flush, and brings `JsonShapeGuard` to
 * every ORM that has such a column, which checks those of flushes.
 */
export abstract class ShapedJson extends JsonType {
  /** @throws InvalidJsonError when `document` does not have the column's shape. */
  abstract check(document: unknown): void;

  override getColumnType(property: EntityProperty, platform: Platform): string {
    bringGuard(platform, JsonShapeGuard);
    return super.getColumnType(property, platform);
  }

  override convertToDatabaseValue(document: unknown, platform: Platform, context?: TransformContext) {
    // `query-data` is what `nativeUpdate`, `insertMany`, `upsert` and query builders write. In its other modes, the ORM converts what it
    // compares: rows that were merely loaded, too, which may be older than the shape.
    if (context?.mode === 'query-data' && document != null) this.check(document);
    return super.convertToDatabaseValue(document, platform, context);
  }
}

/**
 * Checks each JSON document that a flush is about to write, and no other: a row from before its shape was tightened can still be
 * read, and its other columns changed.
 */
class JsonShapeGuard implements EventSubscriber {
  /** @throws InvalidJsonError before anything is sent. */
  onFlush({ uow }: FlushEventArgs): void {
    for (const { entity, meta, payload } of uow.getChangeSets()) check(meta, entity, payload);
  }

  /** @throws InvalidJsonError before anything is sent. */
  beforeUpsert({ entity, meta }: EventArgs<object>): void {
    // Of plain data, the column's type checks it.
    if (entity instanceof meta.class) check(meta, entity, entity);
  }
}

function check(meta: EntityMetadata, row: object, written: object): void {
  for (const { name, customType } of meta.props) {
    if (!(name in written) || !(customType instanceof ShapedJson)) continue;
    const document: unknown = Reflect.get(row, name);
    if (document != null) customType.check(document);
  }
}
