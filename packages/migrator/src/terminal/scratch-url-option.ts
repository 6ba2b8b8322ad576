import { Option } from 'commander';

/** Returns the option `--scratch-url`, of commands that compare schemas. */
export function scratchUrlOption(): Option {
  return new Option(
    '--scratch-url <url>',
    'a PostgreSQL server for the scratch database, such as one on this machine; by default that of the database',
  );
}
