import type { EntityMetadata, EventArgs, FlushEventArgs } from '@mikro-orm/core';
import { isOurs } from '../entities/our-entities.ts';
import { refuseMalformedText } from '../../client/unstorable-values.ts';
import type { BatchSubscriber } from '../../../guards/register-guard.ts';

/** Refuses a text with an unpaired surrogate in a flush, with its column in the message. The client refuses it in other statements. */
export class TextGuard implements BatchSubscriber {
  readonly acceptsBatches = true;
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
  for (const [name, value] of Object.entries(written)) {
    if (typeof value !== 'string' || value.isWellFormed()) continue;
    const [column] = meta.props.find((prop) => prop.name === name)?.fieldNames ?? [];
    refuseMalformedText(value, { table: meta.tableName, ...(column !== undefined && { column }) });
  }
}
