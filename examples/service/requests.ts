import { z } from 'zod';

/** Parameters of a path that names a row. */
export const Key = z.object({ id: z.string() });

/** The query of an offset page. The repository refuses values out of bounds. */
export const PageQuery = z.object({
  limit: z.coerce.number().optional(),
  offset: z.coerce.number().optional(),
  sortBy: z.enum(['createdAt', 'updatedAt', 'name']).optional(),
  sortOrder: z.enum(['asc', 'desc']).optional(),
});

/** The query of a cursor page. */
export const CursorQuery = z.object({ first: z.coerce.number().optional(), after: z.string().optional() });
