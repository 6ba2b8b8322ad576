import { errorMonitor, EventEmitter } from 'node:events';
import { isPromise } from 'node:util/types';
import type { Pool, PoolClient } from 'pg';
import type { ScanOptions } from '../sql/sql-scanner.ts';
import { identifyClient } from './identify-client.ts';
import { statementName } from './named-statements.ts';
import { tracedText } from '../sql/statement-tags.ts';
import { TxClient } from './tx-client.ts';

/** A statement that is being sent. */
export interface WatchedStatement {
  /** The W3C trace context that is sent with it; undefined for none. */
  readonly traceparent?: string | undefined;
  /** Called at its end, with its error if it failed. */
  readonly end: (error?: unknown) => void;
}

/** Called when a statement is sent, with the tag that it is sent with. */
export type StatementObserver = (
  sql: string,
  sender: { readonly strings: ScanOptions | undefined; readonly tag: string | undefined },
) => WatchedStatement;

const watchedClients = new WeakSet<PoolClient>();

/**
 * Reports every statement on the pool's connections: of the ORM, Kysely, COPY and cursors. Existing connections are watched from their
 * next checkout on.
 */
export function watchStatements(pool: Pool, watch: StatementObserver): void {
  pool.on('acquire', (client) => {
    if (watchedClients.has(client)) return;
    watchedClients.add(client);
    // oxlint-disable-next-line typescript/unbound-method -- `apply` calls it on this client
    client.query = new Proxy(client.query, {
      apply: (query, _client, given: unknown[]): unknown => {
        const sql = textOf(given[0]);
        // The client answers `identifyClient` itself: no statement is sent.
        if (sql === undefined || sql === identifyClient) return Reflect.apply(query, client, given);
        const { strings, tag } = client instanceof TxClient ? client : { strings: undefined, tag: undefined };
        const { traceparent, end } = watch(sql, { strings, tag });
        return send(query, client, traceparent === undefined ? given : traced(given, traceparent), end);
      },
    });
  });
}

function send(
  query: PoolClient['query'],
  client: PoolClient,
  given: unknown[],
  onEnd: (error?: unknown) => void,
): unknown {
  const last = given.at(-1);
  if (typeof last === 'function') {
    const callback = (error: unknown, result: unknown): unknown => {
      onEnd(error ?? undefined);
      return Reflect.apply(last, undefined, [error, result]);
    };
    return Reflect.apply(query, client, [...given.slice(0, -1), callback]);
  }
  const answer: unknown = Reflect.apply(query, client, given);
  if (isPromise(answer)) {
    answer.then(
      () => onEnd(),
      (error: unknown) => onEnd(error),
    );
  } else if (answer instanceof EventEmitter) {
    // A COPY or a cursor: the first of these events ends it. `errorMonitor` does not handle the error in its listeners' place.
    let open = true;
    const once = (error?: unknown): void => {
      if (open) onEnd(error);
      open = false;
    };
    answer.once(errorMonitor, once);
    for (const end of ['finish', 'end', 'close']) answer.once(end, () => once());
  }
  return answer;
}

/** Returns the arguments of `query` with the trace context in a text. A prepared statement keeps its text, by which it is known. */
function traced([text, ...others]: unknown[], traceparent: string): unknown[] {
  const isText = typeof text === 'string' && statementName(text) === undefined;
  return [isText ? tracedText(text, traceparent) : text, ...others];
}

/** Returns the text of a query of the driver: a text, a configuration, a COPY or a cursor. */
function textOf(query: unknown): string | undefined {
  if (typeof query === 'string') return query;
  if (typeof query !== 'object' || query === null || !('text' in query)) return undefined;
  return typeof query.text === 'string' ? query.text : undefined;
}
