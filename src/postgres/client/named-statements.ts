import { createHash } from 'node:crypto';
import { DatabaseError, type Connection } from 'pg';
import { ContentionError } from '../../errors.ts';
import { sendQuery, type SendQuery } from './send-query.ts';

// By their texts. They are texts of this package without values, so that there are few.
const names = new Map<string, string>();

/**
 * Marks a statement as one whose plan is right for all values, such as a row by its key, and returns its text. Connections that name
 * statements parse it once and keep its plan.
 */
export function named(text: string): string {
  if (!names.has(text))
    names.set(text, `synth_lab_${createHash('sha256').update(text).digest('hex').slice(0, 16)}`);
  return text;
}

/** Returns the name of a statement that was marked by `named`; undefined for any other. */
export function statementName(text: string): string | undefined {
  return names.get(text);
}

/** The statements that the server keeps by their names for one connection. */
export class NamedStatements {
  #isIdle = true;
  // Part of each name: a statement that can't be used any more stays on the server until the connection ends.
  #generation = 0;
  // The names that have been used without an error.
  readonly #used = new Set<string>();

  constructor(connection: Connection) {
    connection.on('readyForQuery', ({ status }: { status: string }) => (this.#isIdle = status === 'I'));
    connection.on('commandComplete', ({ text }: { text: string }) => {
      if (text.startsWith('DEALLOCATE') || text === 'DISCARD ALL') this.#generation++;
    });
  }

  /**
   * Sends a statement by its name. Outside a transaction, it is sent once more when the server can't use what it has kept: after a change of
   * its tables, or when it was dropped.
   *
   * @throws ContentionError in a transaction, which the server has aborted then.
   */
  async send(send: SendQuery, name: string, text: unknown, values: unknown): Promise<unknown> {
    const isAlone = this.#isIdle;
    const full = `${name}_${this.#generation}`;
    try {
      const result = await sendQuery(send, [{ name: full, text, values }]);
      this.#used.add(full);
      return result;
    } catch (error) {
      if (!isUnusable(error, this.#used.has(full))) throw error;
      this.#generation++;
      if (isAlone) return sendQuery(send, [{ name: `${name}_${this.#generation}`, text, values }]);
      throw new ContentionError(
        `the schema changed since this connection prepared the statement (${error.code}); run the unit of work again`,
        {},
        { cause: error },
      );
    }
  }
}

/**
 * Returns whether the server could not use a prepared statement: its result has another type now, its parameters keep types that no longer
 * fit, or it does not exist.
 */
function isUnusable(error: unknown, wasUsed: boolean): error is DatabaseError {
  if (!(error instanceof DatabaseError)) return false;
  const { code = '', routine } = error;
  return (
    code === '26000' ||
    (code === '0A000' && routine === 'RevalidateCachedQuery') ||
    (wasUsed && ['42804', '42883'].includes(code))
  );
}
