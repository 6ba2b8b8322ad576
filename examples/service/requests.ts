import { z } from 'zod';

/** A path that names a row. */
export const Key = z.object({ id: z.string() });

/** A query for a page by offset. What is out of bounds is refused by the repository, which knows the bounds. */
export const PageQuery = z.object({
  limit: z.coerce.number().optional(),
  offset: z.coerce.number().optional(),
  sortBy: z.enum(['createdAt', 'updatedAt', 'name']).optional(),
  sortOrder: z.enum(['asc', 'desc']).optional(),
});

/** A query for a cursor page. */
export const CursorQuery = z.object({ first: z.coerce.number().optional(), after: z.string().optional() });
