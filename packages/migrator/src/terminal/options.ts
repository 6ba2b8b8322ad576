import { InvalidArgumentError, Option } from 'commander';

/** Parses a positive integer of the command line. */
export function parsePositiveInteger(given: string): number {
  const number = Number(given);
  if (!Number.isInteger(number) || number < 1) throw new InvalidArgumentError('Expected a positive integer.');
  return number;
}

/** Adds what an option has been given to what it was given before, with commas between names: a variable of make is one text. */
export function appendNames(given: string, earlier: readonly string[] = []): string[] {
  return [...earlier, ...given.split(',')];
}

/** Returns the option `--optional`. */
export function optionalOption(description: string): Option {
  return new Option('--optional <name>', `${description} (repeatable)`).argParser(appendNames);
}

/** Returns the option `--lock-wait`, parsed into milliseconds. Default: 60 s. */
export function lockWaitOption(): Option {
  return new Option('--lock-wait <seconds>', 'how long to wait for the lock of another runner')
    .argParser(milliseconds)
    .default(60_000, '60');
}

function milliseconds(given: string): number {
  const seconds = Number(given);
  if (given.trim() === '' || !(seconds >= 0 && seconds < 2_000_000))
    throw new InvalidArgumentError('Expected a number of seconds.');
  return Math.round(seconds * 1_000);
}
