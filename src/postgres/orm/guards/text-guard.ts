import type { EntityMetadata, EventArgs, EventSubscriber, FlushEventArgs } from '@mikro-orm/core';
import { isOurs } from '../entities/our-entities.ts';
import { refuseMalformedText } from '../../client/unstorable-values.ts';

/** Refuses a text with an unpaired surrogate in a flush, with its column in the message. The client refuses it in other statements. */
export class TextGuard implements EventSubscriber {
  /** @throws InvalidValueError before anything is sent. */
  onFlush({ uow }: FlushEventArgs): void {
    for (const { meta, payload } of uow.getChangeSets()) if (isOurs(meta)) check(meta, payload);
  }

  /** @throws InvalidValueError before anything is sent. */
  beforeUpsert({ entity, meta }: EventArgs<object>): void {
    if (isOurs(meta)) check(meta, entity);
  }
}

function check(meta: EntityMetadata, written: object): void {
  for (const { name, fieldNames } of meta.props) {
    const value: unknown = name in written ? Reflect.get(written, name) : undefined;
    if (typeof value !== 'string') continue;
    refuseMalformedText(value, { table: meta.tableName, ...(fieldNames[0] && { column: fieldNames[0] }) });
  }
}
