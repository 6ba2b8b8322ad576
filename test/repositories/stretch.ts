import { z } from 'zod';

const Stretch = z.object({ data: z.array(z.object({ id: z.string() })), next: z.string().nullable() });
const Read = z.union([Stretch, z.object({ synths: Stretch }).transform(({ synths }) => synths)]);

/** The keys of the rows of a stretch; a group's is that of its synths. */
export function keysOf(read: unknown): readonly string[] {
  return Read.parse(read).data.map(({ id }) => id);
}

/** The cursor that continues a stretch; null at the end. */
export function nextOf(read: unknown): string | null {
  return Read.parse(read).next;
}
