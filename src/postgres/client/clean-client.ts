import { PoolerError } from '../../errors.ts';
import { findSessionChange } from '../pooler/session-changes.ts';
import { statementName } from './named-statements.ts';
import { leavesTemporaryObjects } from './temporary-objects.ts';
import type { Release, TxClientConfig } from './tx-client-config.ts';
import { TxClient } from './tx-client.ts';
import { refuseMalformedText, storableParameters } from './unstorable-values.ts';

/** The configuration of the pool's clients, besides the driver's. */
export interface CleanClientConfig extends TxClientConfig {
  /** Statements to begin each transaction with. */
  readonly atBegin?: string;
  /**
   * Whether a pooler may assign the server's connection to another client after each transaction: changes of the session are refused then.
   * Otherwise the connection is closed after a unit of work that changed its session.
   */
  readonly sharesSession?: boolean;
}

// The beginning of a statement is enough to detect a change of the session.
const maxSearched = 2_000;

/**
 * The driver's client that leaves no state of a unit of work on the server's connection.
 *
 * - Each transaction begins with its settings, in one message, so that they need no round trip.
 * - Temporary tables are dropped at the end of the transaction that created them.
 * - Texts and documents that PostgreSQL would not store unchanged are refused.
 * - Statements that change the session are refused on a connection that a pooler shares.
 * - A connection that is not shared is closed at its release when a statement changed the session (a setting, a lock).
 */
export class CleanClient extends TxClient {
  readonly #atBegin: string;
  readonly #sharesSession: boolean;
  #inTransaction = false;
  #hasTemporaryObjects = false;
  #hasChangedSession = false;

  constructor(config: CleanClientConfig = {}) {
    super(config);
    this.#atBegin = config.atBegin ? `; ${config.atBegin}` : '';
    this.#sharesSession = config.sharesSession ?? false;
    // oxlint-disable-next-line typescript/unbound-method -- `apply` calls it on this client
    this.query = new Proxy(this.query, {
      apply: (query, _client, given: unknown[]): unknown => {
        const send = (...all: unknown[]): unknown => Reflect.apply(query, this, all);
        const [first, ...others] = given;
        const { text, name } = partsOf(first);
        if (text === 'begin' || text.startsWith('start transaction')) {
          this.#inTransaction = true;
          this.#hasTemporaryObjects = false;
          return send(text + this.#atBegin, ...others);
        }
        if (text === 'commit' || text === 'rollback') {
          this.#inTransaction = false;
          return text === 'commit' && this.#hasTemporaryObjects
            ? this.#dropTemporaryAndCommit(send, given)
            : send(...given);
        }
        // The texts of this package that are marked by `named` change nothing of the session.
        if (statementName(text) === undefined) this.#watch(text, name);
        return send(...withStorableValues(text, given));
      },
    });
  }

  override get release(): Release {
    const release = super.release;
    return (error) => release(error ?? (this.#hasChangedSession || undefined));
  }

  override set release(release: Release) {
    super.release = release;
  }

  async #dropTemporaryAndCommit(send: (...all: unknown[]) => unknown, given: unknown[]): Promise<unknown> {
    // First checks deferred constraints, because a table with pending checks can't be dropped.
    await send('set constraints all immediate; discard temp', []);
    return send(...given);
  }

  #watch(text: string, name: string): void {
    const beginning = text.slice(0, maxSearched);
    if (this.#sharesSession) this.#refuseSessionChange(text, name);
    else this.#hasChangedSession ||= findSessionChange(beginning, this.#inTransaction, this.strings) !== null;
    if (this.#inTransaction) this.#hasTemporaryObjects ||= leavesTemporaryObjects(beginning, this.strings);
  }

  #refuseSessionChange(text: string, name: string): void {
    const reason = name
      ? 'the next transaction may get another server connection, where this prepared statement does not exist; send it without a name'
      : findSessionChange(text, this.#inTransaction, this.strings);
    if (reason === null) return;
    throw new PoolerError(reason);
  }
}

/**
 * Returns the arguments of the driver's `query`, with values in the form to store.
 *
 * @throws InvalidValueError, InvalidJsonError when PostgreSQL would not store the text or a value unchanged.
 */
function withStorableValues(text: string, [query, values, ...others]: unknown[]): unknown[] {
  refuseMalformedText(text, {}, 'the statement');
  if (Array.isArray(values)) return [query, storableParameters(values), ...others];
  if (typeof query === 'object' && query !== null && 'values' in query && Array.isArray(query.values))
    query.values = storableParameters(query.values);
  return [query, values, ...others];
}

/** Returns the text and name of a query of the driver: a text, an object with one, or an object that sends itself. */
function partsOf(query: unknown): { text: string; name: string } {
  if (typeof query === 'string') return { text: query, name: '' };
  if (typeof query !== 'object' || query === null) return { text: '', name: '' };
  const { text, name }: { text?: unknown; name?: unknown } = query;
  return { text: typeof text === 'string' ? text : '', name: typeof name === 'string' ? name : '' };
}
