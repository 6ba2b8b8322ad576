import { z } from 'zod';

const Page = z.object({
  data: z.array(z.object({ id: z.string() })),
  pagination: z.object({ endCursor: z.string().nullable(), hasNextPage: z.boolean() }),
});
const Read = z.union([Page, z.object({ synths: Page }).transform(({ synths }) => synths)]);

/** The keys of the rows of a cursor page; a group's is that of its synths. */
export function keysOf(read: unknown): readonly string[] {
  return Read.parse(read).data.map(({ id }) => id);
}

/** The cursor of the next page; null after the last one. */
export function nextOf(read: unknown): string | null {
  const { endCursor, hasNextPage } = Read.parse(read).pagination;
  return hasNextPage ? endCursor : null;
}
