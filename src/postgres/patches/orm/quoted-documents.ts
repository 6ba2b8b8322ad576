import { Utils, type Platform } from '@mikro-orm/core';
import { documentText } from '../../../json/document-text.ts';

/**
 * Makes the ORM write documents among the values of `em.execute`, which no column's type converts, into the statement's text as they are
 * stored.
 */
export function quoteDocuments(platform: Platform): void {
  const quote = platform.quoteValue.bind(platform);
  platform.quoteValue = (value: unknown) =>
    quote(Utils.isPlainObject(value) ? documentText('a value of the statement', value) : value);
}
