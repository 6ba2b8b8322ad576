import { isNativeError } from 'node:util/types';
import { tryStatement } from '../../catalog/restorable-differences.ts';
import { isLostConnection, findSqlState } from '../../session/find-sql-state.ts';
import type { Session } from '../../session/session.ts';
import { actingStatements, relationsIn, type ActingStatement } from '../../sql/statement-actions.ts';
import { longNames } from '../../sql/long-names.ts';
import { ObservedStatement, type ObservedMigration, type Refusal } from './observed-statement.ts';
import { readSnapshot, type Snapshot } from './snapshot.ts';
import { substituteFor } from './substitute.ts';
import type { Messages } from './with-messages.ts';
import { tablesRead } from './tables-read.ts';

/** A text to send, and where it comes from. */
export interface SentText {
  readonly sql: string;
  /** The number of the text that `addSql` added, from 1; null for what the code sends itself. */
  readonly number: number | null;
}

/** Observes the statements of a direction of a migration while they are sent to a scratch database. */
export class Recorder {
  readonly statements: ObservedStatement[] = [];
  readonly migration: ObservedMigration;
  readonly #own: string;
  readonly #messages: Messages;
  #pending: (() => Promise<void>) | null = null;
  /** The state after the last statement, in its transaction. */
  #last: { readonly session: Session; readonly snapshot: Snapshot } | null = null;

  constructor(migration: ObservedMigration, own: string, messages: Messages) {
    this.migration = migration;
    this.#own = own;
    this.#messages = messages;
  }

  /** Sends the statements of a text in the open transaction of `session`, one by one. */
  async sendInTransaction(session: Session, { sql, number }: SentText): Promise<void> {
    const statements = await actingStatements(sql);
    for (const statement of statements) {
      const sent: Sent = { statement, number, together: statements.length, inTransaction: true };
      // A savepoint of the migration must not end with one around it. A migration may insert many rows, one by one, which blocks nothing.
      if (/\b(?:savepoint|release|rollback)\b/i.test(statement.text) || isInsert(statement)) {
        await session.query(statement.text);
        continue;
      }
      await session.query('savepoint lint_statement');
      const found = await this.#before(session, sent);
      const refusal = await attempt(() => session.query(statement.text));
      if (refusal) {
        await session.query('rollback to savepoint lint_statement');
        const substitute = await substituteFor(statement.text, refusal);
        await this.#after(session, sent, { ...found, refusal });
        if (substitute === null) throw new Error(refusal.message);
        if (substitute !== '') await session.query(substitute);
        this.#last = null;
      } else {
        await this.#after(session, sent, found);
      }
      await session.query('release savepoint lint_statement');
    }
  }

  /** Sends a text outside a transaction. */
  async sendAlone(session: Session, { sql, number }: SentText): Promise<void> {
    const [statement, ...others] = await actingStatements(sql);
    if (!statement) return;
    const sent: Sent = { statement, number, together: others.length + 1, inTransaction: false };
    const found = await this.#before(session, sent);
    const refusal = await attempt(() => session.query(sql));
    await this.#after(session, sent, { ...found, refusal });
    if (refusal) throw new Error(refusal.message);
  }

  /** Called before the migration's code sends a statement itself; what it did is read before the next one, and by `finish`. */
  async expect(session: Session, sql: string, inTransaction: boolean): Promise<void> {
    await this.finish();
    const [statement, ...others] = await actingStatements(sql);
    if (!statement) return;
    const sent: Sent = { statement, number: null, together: others.length + 1, inTransaction };
    const found = await this.#before(session, sent);
    this.#pending = () => this.#after(session, sent, found);
  }

  async finish(): Promise<void> {
    const pending = this.#pending;
    this.#pending = null;
    await pending?.();
  }

  async #before(session: Session, { statement, inTransaction }: Sent): Promise<Found> {
    // In the transaction nothing has changed since the last statement.
    const last = this.#last?.session === session ? this.#last.snapshot : null;
    const before = last ?? (await readSnapshot(session, this.#own, this.migration.final));
    const scanned = inTransaction ? await tablesRead(session, statement, before) : [];
    const named = await resolveNames(session, statement);
    this.#messages.take();
    return { before, scanned, named, refusal: null };
  }

  async #after(session: Session, { statement, ...sent }: Sent, found: Found): Promise<void> {
    const messages = this.#messages.take();
    const after = await readSnapshot(session, this.#own, found.before);
    this.#last = sent.inTransaction ? { session, snapshot: after } : null;
    const unsettled = sent.inTransaction
      ? await unsettledChecks(session, found.before, after)
      : new Map<number, string>();
    const { text: sql, actions } = statement;
    const observed = { ...sent, ...found, sql, actions, after, messages, unsettled };
    this.statements.push(
      new ObservedStatement(this.migration, { ...observed, longNames: await longNames(sql) }),
    );
    this.migration.final = after;
  }
}

interface Sent {
  readonly statement: ActingStatement;
  readonly number: number | null;
  readonly together: number;
  readonly inTransaction: boolean;
}

interface Found {
  readonly before: Snapshot;
  readonly scanned: readonly number[];
  readonly named: ReadonlyMap<string, number>;
  readonly refusal: Refusal | null;
}

function isInsert({ text, actions }: ActingStatement): boolean {
  return /^insert\b/i.test(text) && actions.length === 0;
}

const relationName = /^"(?:[^"]|"")*"(?:\."(?:[^"]|"")*")?$/;

async function resolveNames(
  session: Session,
  { actions }: ActingStatement,
): Promise<ReadonlyMap<string, number>> {
  // A trigger or policy has the name of its table before its own.
  const names = actions.flatMap(relationsIn).filter((name) => relationName.test(name));
  if (names.length === 0) return new Map();
  const rows = await session.query<{ name: string; oid: number | null }>(
    'select name, to_regclass(name)::oid::int as oid from unnest($1::text[]) name',
    [names],
  );
  return new Map(rows.flatMap(({ name, oid }) => (oid === null ? [] : [[name, oid] as const])));
}

async function attempt(work: () => Promise<unknown>): Promise<Refusal | null> {
  try {
    await work();
    return null;
  } catch (error) {
    const state = findSqlState(error);
    if (state === '' || isLostConnection(error)) throw error;
    return { state, message: isNativeError(error) ? error.message : String(error) };
  }
}

/** Returns how PostgreSQL prints new checks once they are created from what it printed first, where that differs. */
async function unsettledChecks(
  session: Session,
  before: Snapshot,
  after: Snapshot,
): Promise<ReadonlyMap<number, string>> {
  const unsettled = new Map<number, string>();
  for (const { oid, type, relation, quoted, definition } of after.constraints.values()) {
    const table = after.relations.get(relation);
    if (type !== 'c' || before.constraints.has(oid) || !table) continue;
    const path = [table.schema, table.name].map((part) => `"${part.replaceAll('"', '""')}"`).join('.');
    await session.query('savepoint lint_check');
    const failed = await tryStatement(
      session,
      `alter table ${path} drop constraint ${quoted}, add constraint ${quoted} ${definition}`,
    );
    const [again] = await session.query<{ definition: string }>(
      'select pg_get_constraintdef(oid) as definition from pg_constraint where conrelid = $1 and quote_ident(conname) = $2',
      [relation, quoted],
    );
    await session.query('rollback to savepoint lint_check');
    if (failed === null && again && again.definition !== definition) unsettled.set(oid, again.definition);
  }
  return unsettled;
}
