import type { EntityMetadata, EventArgs, EventSubscriber, FlushEventArgs } from '@mikro-orm/core';
import { isOurs } from '../entities/our-entities.ts';
import { refuseMalformedText } from '../../client/unstorable-values.ts';

/** Names the column of a text with half of a surrogate pair, where a flush writes it. The client refuses it in any other statement. */
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
