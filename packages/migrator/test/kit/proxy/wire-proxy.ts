import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { urlOf, type Target } from '../server.ts';
import type { Split } from './client-statements.ts';
import type { Break, Fault } from './fault.ts';
import { ProxiedConnection } from './proxied-connection.ts';

/**
 * Stands between clients and a PostgreSQL server: records the statements that clients send, and makes a chosen one, or all
 * connections, fail. Login passes through unchanged; encrypted bytes do too, but can't be read.
 */
export class WireProxy {
  /** The database, as clients reach it through the proxy. */
  readonly target: Target;
  /** Whether clients may connect; when not, they are cut at once, or connect and get no answer. */
  accepting: boolean | 'silently' = true;
  readonly #server: Server;
  readonly #open = new Set<ProxiedConnection>();
  readonly #unanswered = new Set<Socket>();
  #cancels = 0;
  #statements: string[] = [];
  #faults: { at: number | RegExp; fault: Fault }[] = [];
  #triggered: string[] = [];
  #settled = Promise.withResolvers<void>();

  protected constructor(server: Server, behind: Target, split: Split) {
    this.#server = server;
    this.target = { parts: { ...behind.parts, host: '127.0.0.1', port: portOf(server) } };
    server.on('connection', (client) => this.#accept(client, behind, split));
  }

  /** Starts a proxy on a free port of this machine. It counts the text of one query as one statement. */
  static async start(behind: Target): Promise<WireProxy> {
    return new WireProxy(await WireProxy.listen(), behind, (sql) => [sql.trim()]);
  }

  /** Returns a server on a free port of this machine. */
  protected static async listen(): Promise<Server> {
    const server = createServer({ noDelay: true }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    return server;
  }

  /** The URL of the database, or of another on the same server, through the proxy. */
  url(database = this.target.parts.database): string {
    return `${urlOf(this.target, database)}?sslmode=disable`;
  }

  /**
   * The statements that were sent since the start, or the last `reset`, over all connections: each of a query's text, and a prepared
   * one for each time that it is executed. `begin`, `commit` and the like count.
   */
  get statements(): readonly string[] {
    return this.#statements;
  }

  /** Connections that are open on one side at least. */
  get connections(): number {
    return this.#open.size;
  }

  /** Cancel requests in clear text. */
  get cancels(): number {
    return this.#cancels;
  }

  /** Faults that have not struck yet. */
  get armed(): number {
    return this.#faults.length;
  }

  /** The statements that faults have struck since the last `reset`. */
  get triggered(): readonly string[] {
    return this.#triggered;
  }

  /** Forgets the recorded statements, and all faults. */
  reset(): void {
    this.#statements = [];
    this.#triggered = [];
    this.#faults = [];
    this.#settle();
  }

  /**
   * Makes the n-th statement since the last `reset` fail, the first being 1, or the next that matches. It strikes once.
   * Where a query's text holds several, those ahead of an `error` are run; a connection breaks before any is.
   */
  failAt(at: number | RegExp, fault: Fault): void {
    if (this.armed === 0) this.#settled = Promise.withResolvers();
    this.#faults.push({ at, fault });
  }

  /** Waits until every fault has struck. */
  async allTriggered(): Promise<void> {
    if (this.armed > 0) await this.#settled.promise;
  }

  /** Breaks all connections as they stand. */
  failNow(how: Break): void {
    for (const connection of this.#open) connection.break(how);
  }

  /** Ends all connections and listens no more. */
  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const connection of [...this.#open, ...this.#unanswered]) connection.destroy();
    await closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #accept(client: Socket, { parts: { host, port } }: Target, split: Split): void {
    if (!this.accepting) {
      client.destroy();
      return;
    }
    if (this.accepting === 'silently') {
      this.#unanswered.add(client.pause());
      client.on('error', () => {});
      return;
    }
    const server = host.startsWith('/') ? connect(`${host}/.s.PGSQL.${port}`) : connect(port, host);
    const connection = new ProxiedConnection(client, server, split, (statement) => this.#take(statement));
    this.#open.add(connection);
    for (const side of [client, server]) {
      side.on('close', () => {
        if (!client.closed || !server.closed) return;
        if (this.#open.delete(connection) && connection.isCancel) this.#cancels += 1;
      });
    }
  }

  #take(statement: string): Fault | undefined {
    const number = this.#statements.push(statement);
    const found = this.#faults.find(({ at }) =>
      typeof at === 'number' ? at === number : at.test(statement),
    );
    if (!found) return undefined;
    this.#faults = this.#faults.filter((fault) => fault !== found);
    this.#triggered.push(statement);
    this.#settle();
    return found.fault;
  }

  #settle(): void {
    if (this.armed === 0) this.#settled.resolve();
  }
}

/** Returns the port on which a server listens. */
export function portOf(server: Server): number {
  const { port } = server.address() as AddressInfo; // oxlint-disable-line typescript/no-unsafe-type-assertion -- it listens on a port
  return port;
}
