/** The point in time that the driver's text stands for; its microseconds are cut, as everywhere in JavaScript. */
export function instant(text: string): Date;
export function instant(text: string | null): Date | null;
export function instant(text: string | null): Date | null {
  return text === null ? null : new Date(text);
}
