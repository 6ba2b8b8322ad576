import { Utils, type Platform } from '@mikro-orm/core';
import { documentText } from '../../json/document-text.ts';

/**
 * Has the ORM write documents into the text of its statements as they are stored: those that `em.execute` is given among its values,
 * which no column's type converts.
 */
export function quoteDocuments(platform: Platform): void {
  const quote = platform.quoteValue.bind(platform);
  platform.quoteValue = (value: unknown) =>
    quote(Utils.isPlainObject(value) ? documentText('a value of the statement', value) : value);
}
