import type { CursorPage } from '../../src/index.ts';

/** The rows of a list, page by page from its start to its last page. */
export async function walk<Row>(
  read: (after: string | null) => Promise<CursorPage<Row>>,
): Promise<readonly Row[]> {
  const rows: Row[] = [];
  let after: string | null = null;
  for (let more = true; more;) {
    // oxlint-disable-next-line no-await-in-loop -- each page begins where the one before ended
    const page = await read(after);
    rows.push(...page.data);
    [after, more] = [page.pagination.endCursor, page.pagination.hasNextPage];
  }
  return rows;
}
