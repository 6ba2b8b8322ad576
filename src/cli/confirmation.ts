import { createInterface } from 'node:readline/promises';
import { UsageError } from './usage-error.ts';
import type { Place } from './with-database.ts';

const forDevelopment = /(?:^|[_-])(?:dev|development|test|local|scratch)(?:[_-]|$)/i;

/**
 * Asks for the database's name before something is done that can't be taken back to a database that does not look like one for
 * development: neither embedded, nor on this machine under a name that says so. Asks for it `always` where so much is lost.
 *
 * @throws UsageError when it is not given, or wrong.
 */
export async function mustBeMeant(
  { database, files }: Place,
  {
    confirm,
    always,
    does = 'reverts migrations and may lose data',
  }: { confirm: string | undefined; always: boolean; does?: string },
): Promise<void> {
  const [name = '', host = ''] = [database.split('/').at(-1), /@([^/]*):\d+\//.exec(database)?.[1]];
  const local = ['localhost', '127.0.0.1', '[::1]', '::1'].includes(host);
  if (!always && (files !== null || (local && forDevelopment.test(name)))) return;
  const given = confirm ?? (await asked(name, does));
  if (given !== name) {
    throw new UsageError(
      given === undefined
        ? `this ${does}, on ${database}; say --confirm ${name} to mean it`
        : `"${given}" is not the name of ${database}; nothing was changed`,
    );
  }
}

async function asked(name: string, does: string): Promise<string | undefined> {
  if (!process.stdin.isTTY) return undefined;
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await terminal.question(`This ${does}. Type "${name}" to go on: `);
  } finally {
    terminal.close();
  }
}
