import type { EntityManager } from '@mikro-orm/postgresql';
import type { LoadTarget } from '../loading/load/load-target.ts';
import { copyOut } from '../postgres/copy/copy-out.ts';
import { selectAll } from '../loading/load/column-sql.ts';

/** Yields the rows of a table as CSV. Returns their number. */
export function csvFile(em: EntityManager, target: LoadTarget): AsyncGenerator<Buffer, number> {
  return copyOut(em, `copy (${selectAll(target)}) to stdout (format csv, header)`);
}

/** Yields the rows of a table as JSON lines. Returns their number. */
export function jsonlFile(em: EntityManager, target: LoadTarget): AsyncGenerator<Buffer, number> {
  // JSON escapes control characters, so that CSV with these as delimiter and quote has nothing to add.
  return copyOut(
    em,
    `copy (select row_to_json(line) from (${selectAll(target)}) line) to stdout (format csv, delimiter e'\\x02', quote e'\\x01')`,
  );
}
