import { SettingsError } from '../errors.ts';

// What PostgreSQL and the timers of Node can count to, in milliseconds: 24 days.
const most = 2_147_483_647;

/** @throws SettingsError when `value` is no whole number from `least`, by default 0, to 2,147,483,647. */
export function wholeNumber(name: string, value: unknown, { least = 0 }: { least?: number } = {}): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value;
  const shown = typeof value === 'number' ? String(value) : `a ${typeof value}`;
  throw new SettingsError(`${name} is ${shown}; write a whole number from ${least} to ${most}`);
}
