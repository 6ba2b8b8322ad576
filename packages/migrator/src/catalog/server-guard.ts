import { isNativeError } from 'node:util/types';
import type { Send, Interceptor } from '../internals/intercept-queries.ts';
import { MigrationRefusedError } from '../session/errors.ts';
import { findSqlState } from '../session/find-sql-state.ts';
import { stateQueryMark } from '../session/session-state.ts';
import { scratchStatements, type ScratchStatement } from '../sql/server-statements.ts';
import { refusedOnScratch } from './server-functions.ts';
import { findSharedChanges, readSharedState } from './shared-changes.ts';

/** A statement that a scratch database did not receive. */
export interface LeftOut {
  /** The migration that sent it; null outside migrations. */
  readonly migration: string | null;
  readonly statement: string;
  readonly reason: string;
}

/** Returns a line that names a statement that was left out. */
export function describeLeftOut({ migration, statement, reason }: LeftOut): string {
  const text = statement.replaceAll(/\s+/g, ' ').trim();
  const cut = text.length > 120 ? `${text.slice(0, 120)}…` : text;
  return `left out on the scratch database${migration === null ? '' : `, of ${migration}`}: ${cut} (${reason})`;
}

type Result = Awaited<ReturnType<Send>>;

/** Begins a statement of the migrator that tries or reads generated rows. What triggers do to the server is found at the commit. */
export const rowsMark = '/* rows */ ';

const nothing: Result = { rows: [], rowCount: 0, command: '' };

const reasons = {
  server: 'it changes what all databases of the server share',
  code: 'its code changes what all databases of the server share',
  commit: 'its code commits, so that it could not be rolled back',
};

/**
 * Keeps statements on a scratch database from changing what all databases of the server share: roles, databases, tablespaces, settings,
 * subscriptions, replication slots. PostgreSQL's grammar finds statements that do. Code of a function or a block is run in a savepoint,
 * and rolled back if it has changed a shared catalog.
 */
export class ServerGuard {
  #isStarted = false;
  #ownSchema: string | null = null;
  #schemas: readonly string[] = [];
  readonly #extensions = new Set<string>();
  #migration: string | null = null;
  readonly #leftOut: LeftOut[] = [];

  readonly #ownTables: string;

  /** @param schema the migrator's, whose statements are not checked. */
  constructor(schema: string) {
    this.#ownTables = `"${schema}"."`;
  }

  /** What was left out so far, each once. */
  get leftOut(): readonly LeftOut[] {
    return this.#leftOut;
  }

  /**
   * Begins: what prepares the database before is not checked. `ownSchema` exists already, and may be created again; `schemas` are those of
   * the connected database, which an extension may need.
   */
  start(ownSchema: string | null, schemas: readonly string[]): void {
    this.#isStarted = true;
    this.#ownSchema = ownSchema;
    this.#schemas = schemas;
  }

  /** The extensions that were not created, as a catalog names them. */
  get leftOutExtensions(): ReadonlySet<string> {
    return this.#extensions;
  }

  /** Records which migration runs, by the events of its migrator. */
  follow(event: { readonly kind: string; readonly name?: string }): void {
    if (event.kind === 'started') this.#migration = event.name ?? null;
    if (event.kind === 'done') this.#migration = null;
  }

  /** Returns the interceptor of one connection. */
  interceptor(): Interceptor {
    const connection: Connection = { isInTransaction: false, state: null };
    return async (send, text, values) => {
      if (!this.#isStarted || this.#isOwn(text)) return send(text, values);
      if (/^(?:begin|start transaction|commit|rollback)\b(?! to\b)/i.test(text)) {
        if (/^commit/i.test(text)) await this.#refuseSharedChanges(send, connection);
        connection.state = null;
        connection.isInTransaction = /^(?:begin|start)/i.test(text);
        return send(text, values);
      }
      const statements = await scratchStatements(text);
      const kept = statements && (await this.#keep(send, statements));
      if (kept?.length === 0) return nothing;
      const queries = kept ? toQueries(text, values, kept, statements) : [plain(text, values)];
      let result = nothing;
      for (const query of queries) {
        result = await (connection.isInTransaction
          ? this.#send(send, query, connection)
          : this.#sendInTransaction(send, query, connection));
      }
      return result;
    };
  }

  // A comment with a fencing token names a table too.
  #isOwn(text: string): boolean {
    return (
      text.startsWith(stateQueryMark) ||
      text.startsWith(rowsMark) ||
      text.replace(/^\/\*.*?\*\/ /, '').includes(this.#ownTables)
    );
  }

  /** Returns the statements that don't change the server, and whose roles exist on it. */
  async #keep(send: Send, statements: readonly ScratchStatement[]): Promise<ScratchStatement[]> {
    const missing = await missingRoles(
      send,
      statements.filter(({ affectsServer }) => !affectsServer).flatMap(({ roles }) => roles),
    );
    return statements.flatMap((statement) => {
      const { text, affectsServer, roles, withoutRoles, createsSchema } = statement;
      const reduced = withoutRoles === null ? [] : [{ ...statement, text: withoutRoles }];
      const role = roles.find((name) => missing.includes(name));
      if (affectsServer) {
        this.#leaveOut(text, reasons.server);
        return [];
      }
      if (createsSchema !== null && createsSchema === this.#ownSchema)
        return reduced.map((one) => ({ ...one, text: one.text.replace('schema ', 'schema if not exists ') }));
      if (role === undefined) return [statement];
      this.#leaveOut(text, `the server of the scratch database has no role ${role}`);
      return reduced;
    });
  }

  #leaveOut(statement: string, reason: string): void {
    const migration = this.#migration;
    if (!this.#leftOut.some((one) => one.migration === migration && one.statement === statement))
      this.#leftOut.push({ migration, statement, reason });
  }

  /** Sends code in a savepoint, so that it can be left out. */
  async #send(send: Send, query: Query, connection: Connection): Promise<Result> {
    const { text, values, callsCode, extension } = query;
    if (extension) return this.#sendForExtension(send, text, extension);
    if (!callsCode) return send(text, values);
    await send('savepoint migrator_code');
    try {
      const before = await readSharedState(send);
      const result = await send(text, values);
      if ((await findSharedChanges(send, before)).length === 0) {
        connection.state = before;
        await send('release savepoint migrator_code');
        return result;
      }
    } catch (error) {
      if (!isAboutServer(error)) throw error;
    }
    await send('rollback to savepoint migrator_code; release savepoint migrator_code');
    this.#leaveOut(text, reasons.code);
    return nothing;
  }

  /** Leaves out an extension that the role may not create here, or that the server lacks. Elsewhere an administrator installs it. */
  async #sendForExtension(
    send: Send,
    text: string,
    { name, schema }: NonNullable<Query['extension']>,
  ): Promise<Result> {
    const object = `extension ${/^[a-z_][a-z0-9_$]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`}`;
    if (this.#extensions.has(object)) {
      this.#leaveOut(text, `the scratch database has no ${object}`);
      return nothing;
    }
    // Such as `extensions`, which comes with a managed database.
    if (schema !== null && this.#schemas.includes(schema))
      await send(`create schema if not exists "${schema.replaceAll('"', '""')}"`);
    await send('savepoint migrator_extension');
    try {
      const result = await send(text);
      await send('release savepoint migrator_extension');
      return result;
    } catch (error) {
      if (!['42501', '0A000', '58P01'].includes(findSqlState(error))) throw error;
      await send('rollback to savepoint migrator_extension; release savepoint migrator_extension');
      this.#extensions.add(object);
      this.#leaveOut(text, isNativeError(error) ? error.message : String(error));
      return nothing;
    }
  }

  /** Sends a query that stands outside a transaction in one, unless PostgreSQL refuses to run it there. */
  async #sendInTransaction(send: Send, query: Query, connection: Connection): Promise<Result> {
    await send('begin');
    try {
      const result = await this.#send(send, query, connection);
      await this.#refuseSharedChanges(send, connection);
      await send('commit');
      return result;
    } catch (error) {
      await send('rollback');
      const state = findSqlState(error);
      // Such as `vacuum`.
      if (state === '25001') return send(query.text, query.values);
      if (state !== '2D000') throw error;
      this.#leaveOut(query.text, reasons.commit);
      return nothing;
    } finally {
      connection.state = null;
    }
  }

  // Such as a trigger's function, which can be run by any statement.
  async #refuseSharedChanges(send: Send, { state }: Connection): Promise<void> {
    const changed = await findSharedChanges(send, state);
    if (changed.length === 0) return;
    throw new MigrationRefusedError(
      `${this.#migration ?? 'a statement'} changes what all databases of the server share (${changed.join(', ')}) by code that can't be ` +
        'left out on a scratch database: send the change as a statement',
    );
  }
}

interface Connection {
  isInTransaction: boolean;
  /** The state of what is shared, after statements that did not change it. */
  state: string | null;
}

interface Query {
  readonly text: string;
  readonly values: readonly unknown[];
  readonly callsCode: boolean;
  readonly extension: ScratchStatement['extension'];
}

function plain(text: string, values: readonly unknown[]): Query {
  return { text, values, callsCode: false, extension: null };
}

/** Returns what to send for the statements of a text that are kept: one query, or one each where an extension may be left out. */
function toQueries(
  text: string,
  values: readonly unknown[],
  kept: readonly ScratchStatement[],
  all: readonly ScratchStatement[],
): Query[] {
  if (kept.some(({ extension }) => extension !== null)) return kept.map((one) => ({ ...one, values }));
  const isWhole = kept.length === all.length && kept.every((one, at) => one === all[at]);
  return [
    {
      text: isWhole ? text : kept.map((one) => one.text).join(';\n'),
      values,
      callsCode: kept.some(({ callsCode }) => callsCode),
      extension: null,
    },
  ];
}

async function missingRoles(send: Send, roles: readonly string[]): Promise<string[]> {
  if (roles.length === 0) return [];
  const { rows } = await send(
    `select name from unnest($1::text[]) name where name <> 'public' and not exists (select from pg_roles where rolname = name)`,
    [roles],
  );
  return rows.map(({ name }) => String(name));
}

/** Whether the server refused a change of what it shares: its errors name the source file that raised them. */
function isAboutServer(error: unknown): boolean {
  if (!isNativeError(error)) return false;
  if (findSqlState(error) === refusedOnScratch) return true;
  const { file = '', routine = '' } = error as Error & { readonly file?: string; readonly routine?: string };
  return serverSources.has(file) || (file === 'acl.c' && routine.startsWith('get_role'));
}

const serverSources: ReadonlySet<string> = new Set([
  'user.c',
  'dbcommands.c',
  'tablespace.c',
  'subscriptioncmds.c',
  'slotfuncs.c',
  'slot.c',
]);
