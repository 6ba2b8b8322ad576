import type sqlite from 'node:sqlite';

/** Node's own SQLite, without the warning that it is experimental: what we ask of it is covered by our tests. */
export async function loadSqlite(): Promise<typeof sqlite> {
  // oxlint-disable-next-line typescript/unbound-method -- called on its process below
  const { emitWarning } = process;
  process.emitWarning = (...warning: unknown[]): void => {
    if (!String(warning[0]).startsWith('SQLite is an experimental'))
      Reflect.apply(emitWarning, process, warning);
  };
  try {
    return await import('node:sqlite');
  } finally {
    process.emitWarning = emitWarning;
  }
}
