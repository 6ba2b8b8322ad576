import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { DatabaseTarget } from '../../src/settings/database-url.ts';
import type { Break, Fault } from './fault.ts';
import { ProxiedConnection } from './proxied-connection.ts';

/**
 * Stands between clients and a PostgreSQL server: takes down the statements that clients send, and makes a chosen one, or all
 * connections, fail. Login passes through unchanged; what is encrypted does too, but can't be read.
 */
export class WireProxy {
  /** The database that it stands before, as clients reach it through the proxy. */
  readonly target: DatabaseTarget;
  /** Whether clients may connect; when not, they are cut at once, or connect and never hear anything. */
  accepting: boolean | 'silently' = true;
  readonly #server: Server;
  readonly #open = new Set<ProxiedConnection>();
  readonly #unheard = new Set<Socket>();
  #cancels = 0;
  #statements: string[] = [];
  #faults: { at: number | RegExp; fault: Fault }[] = [];
  #struck: string[] = [];
  #settled = Promise.withResolvers<void>();

  private constructor(server: Server, behind: DatabaseTarget) {
    const { port } = server.address() as AddressInfo; // oxlint-disable-line typescript/no-unsafe-type-assertion -- it listens on a port
    this.#server = server;
    this.target = new DatabaseTarget({ ...behind.parts, host: '127.0.0.1', port, tls: { mode: 'disable' } });
    server.on('connection', (client) => this.#accept(client, behind));
  }

  /** A proxy on a free port of this machine. Close it with `close()`, or hold it with `await using`. */
  static async start(behind: DatabaseTarget): Promise<WireProxy> {
    const server = createServer({ noDelay: true }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new WireProxy(server, behind);
  }

  /** The URL of the database, or of another on the same server, through the proxy. */
  url(database = this.target.parts.database): string {
    const { host, port, user, password } = this.target.parts;
    const [name, secret, path] = [user, password, database].map(encodeURIComponent);
    return `postgresql://${name}:${secret}@${host}:${port}/${path}?sslmode=disable`;
  }

  /**
   * The statements that were sent since the start, or the last `reset`, over all connections: each of a query's text, and a prepared
   * one for each time that it is executed. `begin`, `commit` and the like count.
   */
  get statements(): readonly string[] {
    return this.#statements;
  }

  /** Connections that are open, or that one side still takes for open. */
  get connections(): number {
    return this.#open.size;
  }

  /** Cancels that were asked for in clear text. */
  get cancels(): number {
    return this.#cancels;
  }

  /** Faults that have not struck yet. */
  get armed(): number {
    return this.#faults.length;
  }

  /** The statements that faults have struck since the last `reset`. */
  get struck(): readonly string[] {
    return this.#struck;
  }

  /** Forgets what was taken down, and all faults. */
  reset(): void {
    this.#statements = [];
    this.#struck = [];
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
  async haveStruck(): Promise<void> {
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
    for (const connection of [...this.#open, ...this.#unheard]) connection.destroy();
    await closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #accept(client: Socket, { parts: { host, port } }: DatabaseTarget): void {
    if (!this.accepting) {
      client.destroy();
      return;
    }
    if (this.accepting === 'silently') {
      this.#unheard.add(client.pause());
      client.on('error', () => {});
      return;
    }
    const server = host.startsWith('/') ? connect(`${host}/.s.PGSQL.${port}`) : connect(port, host);
    const connection = new ProxiedConnection(client, server, (statement) => this.#take(statement));
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
    this.#struck.push(statement);
    this.#settle();
    return found.fault;
  }

  #settle(): void {
    if (this.armed === 0) this.#settled.resolve();
  }
}
