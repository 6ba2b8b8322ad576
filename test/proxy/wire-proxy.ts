import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { DatabaseTarget } from '../../src/settings/database-url.ts';
import type { Break, Fault } from './fault.ts';
import { ProxiedConnection } from './proxied-connection.ts';

/**
 * A proxy between clients and a PostgreSQL server. It records the statements that clients send, and injects faults into a statement or into
 * all connections. Logins and encrypted traffic are forwarded unchanged.
 */
export class WireProxy {
  /** The database behind the proxy, as clients reach it through the proxy. */
  readonly target: DatabaseTarget;
  /** Whether clients may connect. With false, they are cut at once. With `silently`, they connect and never get an answer. */
  accepting: boolean | 'silently' = true;
  readonly #server: Server;
  readonly #open = new Set<ProxiedConnection>();
  readonly #silent = new Set<Socket>();
  #cancels = 0;
  #statements: string[] = [];
  #faults: { at: number | RegExp; fault: Fault }[] = [];
  #triggered: string[] = [];
  #settled = Promise.withResolvers<void>();

  private constructor(server: Server, behind: DatabaseTarget) {
    const { port } = server.address() as AddressInfo; // oxlint-disable-line typescript/no-unsafe-type-assertion -- it listens on a port
    this.#server = server;
    this.target = new DatabaseTarget({ ...behind.parts, host: '127.0.0.1', port, tls: { mode: 'disable' } });
    server.on('connection', (client) => this.#accept(client, behind));
  }

  /** Starts a proxy on a free port of this machine. Close it with `close()`, or declare it with `await using`. */
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

  /** The number of connections that are open for at least one side. */
  get connections(): number {
    return this.#open.size;
  }

  /** The number of cancel requests in clear text. */
  get cancels(): number {
    return this.#cancels;
  }

  /** The number of faults that were not triggered yet. */
  get armed(): number {
    return this.#faults.length;
  }

  /** The statements that triggered faults since the last `reset`. */
  get triggered(): readonly string[] {
    return this.#triggered;
  }

  /** Clears the recorded statements and all faults. */
  reset(): void {
    this.#statements = [];
    this.#triggered = [];
    this.#faults = [];
    this.#settle();
  }

  /**
   * Injects a fault once: at the n-th statement since the last `reset`, counted from 1, or at the next one that matches. In a query of several
   * statements, those before an `error` are executed; a connection breaks before any is.
   */
  failAt(at: number | RegExp, fault: Fault): void {
    if (this.armed === 0) this.#settled = Promise.withResolvers();
    this.#faults.push({ at, fault });
  }

  /** Waits until every fault was triggered. */
  async allTriggered(): Promise<void> {
    if (this.armed > 0) await this.#settled.promise;
  }

  /** Breaks all connections. */
  failNow(how: Break): void {
    for (const connection of this.#open) connection.break(how);
  }

  /** Ends all connections and stops listening. */
  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const connection of [...this.#open, ...this.#silent]) connection.destroy();
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
      this.#silent.add(client.pause());
      client.on('error', () => {});
      return;
    }
    const server = host.startsWith('/') ? connect(`${host}/.s.PGSQL.${port}`) : connect(port, host);
    const connection = new ProxiedConnection(client, server, (statement) => this.#record(statement));
    this.#open.add(connection);
    for (const side of [client, server]) {
      side.on('close', () => {
        if (!client.closed || !server.closed) return;
        if (this.#open.delete(connection) && connection.isCancel) this.#cancels += 1;
      });
    }
  }

  #record(statement: string): Fault | undefined {
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
