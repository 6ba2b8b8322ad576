import { errorMonitor, EventEmitter } from 'node:events';
import { isPromise } from 'node:util/types';
import type { Pool, PoolClient } from 'pg';
import { whoServes } from './tx-client.ts';

/** Called as a statement is sent; what it gives is called at its end, with what it failed with. */
export type StatementWatch = (sql: string) => (error?: unknown) => void;

const watchedClients = new WeakSet<PoolClient>();

/**
 * Tells of every statement that goes over the pool's connections, whoever sends it: the ORM, Kysely, COPY, cursors. Connections that
 * are there already are watched from when they are used next.
 */
export function watchStatements(pool: Pool, watch: StatementWatch): void {
  pool.on('acquire', (client) => {
    if (watchedClients.has(client)) return;
    watchedClients.add(client);
    // oxlint-disable-next-line typescript/unbound-method -- `apply` calls it on this client
    client.query = new Proxy(client.query, {
      apply: (query, _client, given: unknown[]): unknown => {
        const sql = textOf(given[0]);
        // The client answers `whoServes` itself: no statement is sent.
        if (sql === undefined || sql === whoServes) return Reflect.apply(query, client, given);
        return send(query, client, given, watch(sql));
      },
    });
  });
}

function send(
  query: PoolClient['query'],
  client: PoolClient,
  given: unknown[],
  ended: (error?: unknown) => void,
): unknown {
  const last = given.at(-1);
  if (typeof last === 'function') {
    const callback = (error: unknown, result: unknown): unknown => {
      ended(error ?? undefined);
      return Reflect.apply(last, undefined, [error, result]);
    };
    return Reflect.apply(query, client, [...given.slice(0, -1), callback]);
  }
  const answer: unknown = Reflect.apply(query, client, given);
  if (isPromise(answer)) {
    answer.then(
      () => ended(),
      (error: unknown) => ended(error),
    );
  } else if (answer instanceof EventEmitter) {
    // A COPY or a cursor, whose failure is not for us to take: whichever of these comes first ends it.
    let open = true;
    const once = (error?: unknown): void => {
      if (open) ended(error);
      open = false;
    };
    answer.once(errorMonitor, once);
    for (const end of ['finish', 'end', 'close']) answer.once(end, () => once());
  }
  return answer;
}

/** The text of what the driver takes for a query: a text, a configuration with one, a COPY or a cursor. */
function textOf(query: unknown): string | undefined {
  if (typeof query === 'string') return query;
  if (typeof query !== 'object' || query === null || !('text' in query)) return undefined;
  return typeof query.text === 'string' ? query.text : undefined;
}
