import type { EventSubscriber, FlushEventArgs } from '@mikro-orm/core';
import { ShapedJson } from './column.ts';

/**
 * Checks each JSON document that a flush is about to write, and no other: a row from before its shape was tightened can still be
 * read, and its other columns changed.
 */
export class JsonShapeGuard implements EventSubscriber {
  /** @throws InvalidJsonError before anything is sent. */
  onFlush({ uow }: FlushEventArgs): void {
    for (const { entity, meta, payload } of uow.getChangeSets()) {
      for (const prop of meta.props) {
        const document: unknown = entity[prop.name];
        if (prop.name in payload && document != null && prop.customType instanceof ShapedJson) {
          prop.customType.check(document);
        }
      }
    }
  }
}
