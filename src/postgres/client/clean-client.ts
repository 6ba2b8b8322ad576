import { PoolerError } from '../../errors.ts';
import { leftOnSession } from './pooler-rules.ts';
import { TxClient, type Release, type TxClientConfig } from './tx-client.ts';
import { refuseMalformedText, storableParameters } from './unstorable-values.ts';

/** What the pool tells its clients besides what the driver knows. */
export interface CleanClientConfig extends TxClientConfig {
  /** Statements that each transaction begins with. */
  readonly atBegin?: string;
  /**
   * Whether a pooler may give the server's connection to somebody else after each transaction: what would stay on it is refused then.
   * Otherwise the connection is ours, and ends with the unit of work that left something on it.
   */
  readonly sharesSession?: boolean;
}

// In a value, it costs a statement more and changes nothing.
const maybeTemporary = /\b(?:pg_)?temp(?:orary)?\b/i;
const makesTemporary =
  /\b(?:create\s+(?!(?:unique\s+)?index\b)|into\s+(?:(?:local|global)\s+)?(?=temp))[^;]*\b(?:pg_)?temp(?:orary)?\b/i;
const whereItWouldBe = 2_000;

/**
 * The driver's client that leaves nothing of a unit of work on the server's connection.
 *
 * - Each transaction begins with the settings that it was made for, in one message, so that they cost no time on the way.
 * - Temporary tables end with the transaction that made them.
 * - A text, or a document, that PostgreSQL would store as another one is not sent.
 * - What would outlive a transaction on a connection that others use as well is not sent.
 * - A connection of our own on which something was left (a setting, a lock) is closed when it is given back to the pool.
 */
export class CleanClient extends TxClient {
  readonly #atBegin: string;
  readonly #sharesSession: boolean;
  #inTransaction = false;
  #madeTemporary = false;
  #isAltered = false;

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
          this.#madeTemporary = false;
          return send(text + this.#atBegin, ...others);
        }
        if (text === 'commit' || text === 'rollback') {
          this.#inTransaction = false;
          return text === 'commit' && this.#madeTemporary ? this.#commitWithout(send, given) : send(...given);
        }
        if (this.#sharesSession) this.#check(text, name);
        else if (!this.#isAltered) {
          this.#isAltered = leftOnSession(text.slice(0, whereItWouldBe), this.#inTransaction) !== null;
        }
        const sent = asStored(text, given);
        if (this.#inTransaction && !this.#madeTemporary) {
          const beginning = text.slice(0, whereItWouldBe);
          this.#madeTemporary = maybeTemporary.test(beginning) && leavesTemporary(beginning);
        }
        return send(...sent);
      },
    });
  }

  override get release(): Release {
    const release = super.release;
    return (error) => release(error ?? (this.#isAltered || undefined));
  }

  override set release(release: Release) {
    super.release = release;
  }

  async #commitWithout(send: (...all: unknown[]) => unknown, given: unknown[]): Promise<unknown> {
    // Rules that wait for the commit are held now, since a table can't go while one is about to look at it.
    await send('set constraints all immediate; discard temp', []);
    return send(...given);
  }

  #check(text: string, name: string): void {
    const says = name
      ? 'the next transaction may have another connection, where a named statement is not known; send it without a name'
      : leftOnSession(text, this.#inTransaction);
    if (says === null) return;
    throw new PoolerError(says);
  }
}

/**
 * Returns what the driver is given, with its values as they are stored.
 *
 * @throws InvalidValueError, InvalidJsonError when the text or a value can't be stored as it is.
 */
function asStored(text: string, [query, values, ...others]: unknown[]): unknown[] {
  refuseMalformedText(text, {}, 'the statement');
  if (Array.isArray(values)) return [query, storableParameters(values), ...others];
  if (typeof query === 'object' && query !== null && 'values' in query && Array.isArray(query.values))
    query.values = storableParameters(query.values);
  return [query, values, ...others];
}

/** Whether a text makes something temporary that the end of the transaction does not drop by itself. */
function leavesTemporary(text: string): boolean {
  return text
    .split(';')
    .some((statement) => makesTemporary.test(statement) && !/\bon\s+commit\s+drop\b/i.test(statement));
}

/** Of whatever the driver takes for a query: a text, an object that holds one, or one that knows how to send itself. */
function partsOf(query: unknown): { text: string; name: string } {
  if (typeof query === 'string') return { text: query, name: '' };
  if (typeof query !== 'object' || query === null) return { text: '', name: '' };
  const { text, name }: { text?: unknown; name?: unknown } = query;
  return { text: typeof text === 'string' ? text : '', name: typeof name === 'string' ? name : '' };
}
