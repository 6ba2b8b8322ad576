import { scanSql } from './scan-sql.ts';

/** Returns the names in a text, as written, that are longer than PostgreSQL stores: more than 63 bytes of UTF-8. */
export async function longNames(sql: string): Promise<string[]> {
  return ((await scanSql(sql)) ?? [])
    .map(({ text }) => text)
    .filter(
      (text) =>
        /^(?:U&)?"|^[a-z_]|^\P{ASCII}/iu.test(text) &&
        !/^[ebxn]'/i.test(text) &&
        Buffer.byteLength(text) > 63,
    );
}
