import { InvalidArgumentError, Option } from 'commander';

/** `--lock-wait`, in milliseconds once it is read. */
export function lockWaitOption(): Option {
  return new Option('--lock-wait <seconds>', 'how long to wait for another runner')
    .argParser(milliseconds)
    .default(60_000, '60');
}

function milliseconds(given: string): number {
  const seconds = Number(given);
  if (given.trim() === '' || !(seconds >= 0 && seconds < 2_000_000))
    throw new InvalidArgumentError('Expected a number of seconds, from 0.');
  return Math.round(seconds * 1_000);
}
