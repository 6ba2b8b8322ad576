import { scanSql } from '../../sql/scan-sql.ts';
import type { Refusal } from './observed-statement.ts';

/**
 * Returns what a scratch database receives in place of a statement that the server refused for a reason that a rule reports, so that the
 * statements after it can be linted; empty for nothing. Null for any other refusal.
 */
export async function substituteFor(sql: string, { state }: Refusal): Promise<string | null> {
  switch (state) {
    // It can't run in a transaction.
    case '25001':
      return /\bconcurrently\b/i.test(sql) ? replaceTokens(sql, { concurrently: '' }) : null;
    // No such type.
    case '42704':
      return /\b(?:big|small)?serial\b/i.test(sql)
        ? replaceTokens(sql, {
            bigserial: 'bigint',
            serial8: 'bigint',
            serial: 'int',
            serial4: 'int',
            smallserial: 'smallint',
          })
        : null;
    // A new value of an enum is used in the transaction that added it.
    case '55P04':
      return '';
    default:
      return null;
  }
}

async function replaceTokens(sql: string, by: Readonly<Record<string, string>>): Promise<string> {
  const tokens = (await scanSql(sql)) ?? [];
  return tokens.map(({ gap, text }) => `${gap}${by[text.toLowerCase()] ?? text}`).join('');
}
