import { Utils, type Platform } from '@mikro-orm/core';
import { DataError } from '../errors.ts';
import { documentText } from '../json/document-text.ts';
import { RefusedStatement } from './refused-statement.ts';

/**
 * Has the ORM write documents into the text of its statements as they are stored: those that `em.execute` is given among its values,
 * which no column's type converts.
 */
export function quoteDocuments(platform: Platform): void {
  const quote = platform.quoteValue.bind(platform);
  platform.quoteValue = (value: unknown) => quote(Utils.isPlainObject(value) ? textOf(value) : value);
}

function textOf(document: object): string {
  try {
    return documentText('a value of the statement', document);
  } catch (error) {
    throw error instanceof DataError ? new RefusedStatement(error) : error;
  }
}
