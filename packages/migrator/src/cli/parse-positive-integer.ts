import { InvalidArgumentError } from 'commander';

/** Parses a positive integer of the command line. */
export function parsePositiveInteger(given: string): number {
  const number = Number(given);
  if (!Number.isInteger(number) || number < 1) throw new InvalidArgumentError('Expected a positive integer.');
  return number;
}
