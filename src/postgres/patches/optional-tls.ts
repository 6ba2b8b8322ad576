/* oxlint-disable eslint/no-underscore-dangle -- the driver's own names */
import { Socket } from 'node:net';
import { isNativeError } from 'node:util/types';
import { Connection, type Client, type ClientConfig } from 'pg';
import { TlsOptions } from '../../settings/tls-options.ts';

/** What the types of the driver leave out (pg 8.23.0, lib/connection.js). */
interface Internals {
  stream: Socket;
  _connecting: boolean;
  readonly _ending: boolean;
  /** Reads the server's messages from `stream`, and emits each. */
  attachListeners(stream: Socket): void;
  /** Begins the handshake on `stream`, puts the encrypted one in its place, and emits `sslconnect`. */
  upgradeToSSL(host: string | undefined, onError: (error: Error) => void): void;
}

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the same class, with what its types leave out
const DriverConnection = Connection as unknown as new (config: ClientConfig) => Connection & Internals;

/** Makes `client` encrypt where the server can, and go on in clear text where it can't, if that is what its TLS options ask for. */
export function useOptionalTls(client: Client, config: string | ClientConfig | undefined): void {
  if (typeof config !== 'object' || !(config.ssl instanceof TlsOptions) || !config.ssl.optional) return;
  Object.assign(client, { connection: new OptionalTlsConnection(config) });
}

/**
 * The driver's connection, for libpq's `sslmode=prefer`, which the driver does not know. It goes on in clear text
 *
 * - on the same connection, when the server says that it has no TLS;
 * - on another one, when the handshake fails, or the server's rules reject logins over TLS (28000).
 *
 * Unlike libpq, it does not repeat a login that failed for another reason, so that a password is not sent in clear text without need.
 */
class OptionalTlsConnection extends DriverConnection {
  readonly #keepAlive: readonly [on: boolean, delay: number];
  #where: readonly [port: number | string, host: string | undefined] = [0, undefined];
  // The connection in use: events of a socket that was closed do not reach the client.
  #socket: Socket | undefined;
  #stage: 'asking' | 'handshake' | 'encrypted' | 'clear' = 'asking';

  constructor({ ssl, keepAlive = false, keepAliveInitialDelayMillis = 0 }: ClientConfig) {
    super({ ssl, keepAlive, keepAliveInitialDelayMillis });
    this.#keepAlive = [keepAlive, keepAliveInitialDelayMillis];
    // Only until the server lets us in: later, each message would pay for it.
    this.emit = (event: string | symbol, ...given: unknown[]) => this.#emitUnlessRejected(event, given);
  }

  /** Called by the driver's client, which wishes for TLS at `connect`, and sends its login at `sslconnect`. */
  connect(port: number | string, host?: string): void {
    this.#where = [port, host];
    this._connecting = true;
    const socket = this.#reach(this.stream);
    socket.once('connect', () => this.emit('connect'));
    socket.once('data', (answer: Buffer) => {
      const reply = answer.toString('latin1');
      if (reply === 'S') return this.#encrypt(socket);
      if (reply === 'N') return this.#logInClear(socket);
      socket.end();
      this.emit('error', new Error('There was an error establishing an SSL connection'));
    });
  }

  #reach(socket: Socket): Socket {
    this.#socket = socket;
    this.stream = socket;
    socket.setNoDelay(true);
    socket.once('connect', () => socket.setKeepAlive(...this.#keepAlive));
    socket.on('error', (error) => this.#report(socket, error));
    socket.on('close', () => {
      if (socket === this.#socket) this.emit('end');
    });
    const [port, host] = this.#where;
    if (typeof port === 'string') socket.connect(port);
    else socket.connect(port, host ?? 'localhost');
    return socket;
  }

  #encrypt(socket: Socket): void {
    this.#stage = 'handshake';
    this.upgradeToSSL(this.#where[1], (error) => {
      // What ends because its time is over must not begin anew.
      if (this.#stage === 'handshake' && !this._ending) this.#startOver();
      else this.#report(socket, error);
    });
    this.stream.once('secureConnect', () => {
      if (socket === this.#socket) this.#stage = 'encrypted';
    });
  }

  #logInClear(socket: Socket): void {
    this.#stage = 'clear';
    this.attachListeners(socket);
    this.emit('sslconnect');
  }

  #startOver(): void {
    const given = this.#socket;
    const socket = this.#reach(new Socket());
    given?.destroy();
    this.#stage = 'clear';
    socket.once('connect', () => this.#logInClear(socket));
  }

  #report(socket: Socket, error: Error): void {
    if (socket !== this.#socket) return;
    // As in the driver: while it closes, such errors don't matter.
    if (this._ending && 'code' in error && (error.code === 'ECONNRESET' || error.code === 'EPIPE')) return;
    this.emit('error', error);
  }

  #emitUnlessRejected(event: string | symbol, given: unknown[]): boolean {
    const [message] = given;
    if (event === 'errorMessage' && this.#stage === 'encrypted' && isRejection(message)) {
      this.#startOver();
      return true;
    }
    // oxlint-disable-next-line typescript/unbound-method -- it takes the place of this object's own
    if (event === 'authenticationOk') this.emit = super.emit;
    return super.emit(event, ...given);
  }
}

/** Returns whether the server's rules (`pg_hba.conf`) reject this login. */
function isRejection(message: unknown): boolean {
  return isNativeError(message) && 'code' in message && message.code === '28000';
}
