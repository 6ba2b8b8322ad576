import type sqlite from 'node:sqlite';

/** Imports Node's SQLite without its experimental warning. Our tests cover what we use of it. */
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
