// Times as the old code wrote them: with an offset where it asked for UTC, else local and without a zone.
const two = (day: number): string => String(day).padStart(2, '0');
export const utc = (day: number): string => `2025-12-${two(day)}T09:15:02.000${two(day)}7+00:00`;
export const local = (day: number): string => `2025-12-${two(day)}T21:40:59.123456`;
