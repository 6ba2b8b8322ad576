import { watchAnswers } from '../../internals/watch-answers.ts';
import { MigrationRefusedError } from '../../session/errors.ts';
import { findSqlState } from '../../session/find-sql-state.ts';
import { Counter, type FailedPart } from './counter.ts';
import { GeneratedClient, RequestStatementError, type TriedRequest } from './generated-client.ts';
import { Lane, type SendRequest } from './lane.ts';
import type { TrafficCounts, Order, PlannedRequest, Traffic } from './planned-request.ts';
import { isTransient, mustPrepareAgain } from './retryable.ts';
import { loadWorkload } from './workload.ts';

/** Sends the requests of one build of the code, by orders of the thread that runs the migration. */
export class Sending {
  #counter = new Counter();
  #lanes: readonly Lane[] = [];
  #disconnect: () => Promise<void> = async () => {};

  /** Returns the numbers of the tables that requests reach for `open`, what was counted for `take` and `close`, and null for others. */
  async obey(order: Order): Promise<readonly number[] | TrafficCounts | null> {
    if (order.kind === 'open') {
      const { traffic, isBefore } = order;
      this.#counter = new Counter();
      return traffic.kind === 'generated'
        ? this.#openGenerated(traffic, isBefore)
        : this.#openAuthors(traffic, isBefore);
    }
    if (order.kind === 'start') for (const lane of this.#lanes) lane.start();
    if (order.kind === 'pass') await Promise.all(this.#lanes.map((lane) => lane.pass()));
    if (order.kind === 'take') return this.#take();
    if (order.kind !== 'close') return null;
    await Promise.all(this.#lanes.map((lane) => lane.stop()));
    this.#lanes = [];
    await this.#disconnect();
    return this.#take();
  }

  #take(): TrafficCounts {
    const counted = this.#counter.result();
    this.#counter = new Counter();
    return counted;
  }

  async #openGenerated(
    { connection, lanes }: Extract<Traffic, { kind: 'generated' }>,
    isBefore: boolean,
  ): Promise<readonly number[]> {
    const clients = lanes.map(
      () => new GeneratedClient(connection, (answer) => this.#counter.awaitAnswer(answer)),
    );
    this.#disconnect = async () => {
      await Promise.all(clients.map((client) => client.close()));
    };
    await Promise.all(clients.map((client) => client.connect()));
    const reached = new Set<number>();
    this.#lanes = await Promise.all(
      clients.map(async (client, index) => {
        const sends: SendRequest[] = [];
        for (const request of lanes[index] ?? []) {
          const tried = await this.#try(client, request, isBefore);
          if (!tried) continue;
          reached.add(request.table);
          sends.push(() => this.#send(client, request, tried));
        }
        return new Lane(sends);
      }),
    );
    return [...reached];
  }

  /**
   * Sends a request for the first time; null where it fails, so that it is not sent again. It may not be a request of the code: the row is
   * generated. What fails for another reason than its row is recorded as a failure, except before `up`.
   */
  async #try(
    client: GeneratedClient,
    request: PlannedRequest,
    isBefore: boolean,
  ): Promise<TriedRequest | null> {
    let tried: TriedRequest | null = null;
    const attempt = async (): Promise<void> => {
      try {
        tried = await client.try(request);
      } catch (error) {
        if (!isBefore && !isAboutRows(error)) throw error;
      }
    };
    await this.#counter.count(attempt, isTransient, (error) => partOf(request, error));
    return tried;
  }

  async #send(client: GeneratedClient, request: PlannedRequest, tried: TriedRequest): Promise<void> {
    const again = (error: unknown): boolean => {
      if (!mustPrepareAgain(error)) return isTransient(error);
      client.forgetStatements();
      return true;
    };
    await this.#counter.count(
      () => client.send(tried),
      again,
      (error) => partOf(request, error),
    );
  }

  async #openAuthors(
    { module, url, clients }: Extract<Traffic, { kind: 'authors' }>,
    isBefore: boolean,
  ): Promise<readonly number[]> {
    let answers = 0;
    watchAnswers((duration) => {
      answers++;
      this.#counter.measure(duration);
    });
    const { requests, close } = await loadWorkload(module, url);
    this.#disconnect = close;
    const sends = Object.entries(requests).map(
      ([name, send]): SendRequest =>
        () =>
          this.#counter.count(
            async () => {
              const [before, began] = [answers, performance.now()];
              await send().finally(() => {
                // Without statements of the driver, the whole request.
                if (answers === before) this.#counter.measure(performance.now() - began);
              });
            },
            isTransient,
            () => ({ request: name, column: null, statement: '', sql: '' }),
          ),
    );
    for (const send of sends) await send();
    const [failure] = this.#counter.result().failures;
    if (failure && isBefore)
      throw new MigrationRefusedError(
        `the request ${failure.request} of ${module} fails before the migration: ${failure.error.message}`,
      );
    // Each client begins with another request.
    this.#lanes = Array.from(
      { length: clients },
      (_, index) => new Lane([...sends.slice(index % sends.length), ...sends.slice(0, index % sends.length)]),
    );
    return [];
  }
}

function isAboutRows(error: unknown): boolean {
  return /^(?:2[23]|44|P0|$)/.test(findSqlState(error));
}

function partOf({ table, column }: PlannedRequest, error: unknown): FailedPart & { readonly sql: string } {
  const statement = error instanceof RequestStatementError ? error.statement : null;
  const sql = statement?.text ?? '';
  return { request: table, column, statement: sql === '' ? 'commit' : (sql.split(' ', 1)[0] ?? ''), sql };
}
