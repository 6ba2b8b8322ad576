/* oxlint-disable eslint/no-underscore-dangle -- the driver's own names */
import { Socket } from 'node:net';
import { isNativeError } from 'node:util/types';
import { Connection, type Client, type ClientConfig } from 'pg';
import { TlsOptions } from '../../../settings/tls-options.ts';

/** Members that the driver's types lack (pg 8.23.0, lib/connection.js). */
interface Internals {
  stream: Socket;
  _connecting: boolean;
  readonly _ending: boolean;
  /** Reads the server's messages from `stream`, and emits each. */
  attachListeners(stream: Socket): void;
  /** Begins the handshake on `stream`, replaces it by the encrypted one, and emits `sslconnect`. */
  upgradeToSSL(host: string | undefined, onError: (error: Error) => void): void;
}

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the same class, with members that its types lack
const DriverConnection = Connection as unknown as new (config: ClientConfig) => Connection & Internals;

/** Makes `client` use TLS only if the server supports it, when its TLS options are optional (`sslmode=prefer`). */
export function useOptionalTls(client: Client, config: string | ClientConfig | undefined): void {
  if (typeof config !== 'object' || !(config.ssl instanceof TlsOptions) || !config.ssl.optional) return;
  Object.assign(client, { connection: new OptionalTlsConnection(config) });
}

/**
 * The driver's connection, for libpq's `sslmode=prefer`, which the driver lacks. It continues without TLS
 *
 * - on the same connection, when the server answers that it has no TLS;
 * - on a new one, when the handshake fails, or the server's rules reject logins over TLS (28000).
 *
 * Unlike libpq, it does not repeat a login that failed for another reason, so that no password is sent without TLS unnecessarily.
 */
class OptionalTlsConnection extends DriverConnection {
  readonly #keepAlive: readonly [on: boolean, delay: number];
  #address: readonly [port: number | string, host: string | undefined] = [0, undefined];
  // The connection in use: events of a socket that was closed do not reach the client.
  #socket: Socket | undefined;
  #phase: 'asking' | 'handshake' | 'encrypted' | 'clear' = 'asking';

  constructor({ ssl, keepAlive = false, keepAliveInitialDelayMillis = 0 }: ClientConfig) {
    super({ ssl, keepAlive, keepAliveInitialDelayMillis });
    this.#keepAlive = [keepAlive, keepAliveInitialDelayMillis];
    // Only until the login succeeds: later, it would slow down each message.
    this.emit = (event: string | symbol, ...given: unknown[]) => this.#emitUnlessRejected(event, given);
  }

  /** Opens the connection. The driver's client requests TLS at `connect`, and sends its login at `sslconnect`. */
  connect(port: number | string, host?: string): void {
    this.#address = [port, host];
    this._connecting = true;
    const socket = this.#open(this.stream);
    socket.once('connect', () => this.emit('connect'));
    socket.once('data', (answer: Buffer) => {
      const reply = answer.toString('latin1');
      if (reply === 'S') return this.#encrypt(socket);
      if (reply === 'N') return this.#logInClear(socket);
      socket.end();
      this.emit('error', new Error('There was an error establishing an SSL connection'));
    });
  }

  #open(socket: Socket): Socket {
    this.#socket = socket;
    this.stream = socket;
    socket.setNoDelay(true);
    socket.once('connect', () => socket.setKeepAlive(...this.#keepAlive));
    socket.on('error', (error) => this.#emitError(socket, error));
    socket.on('close', () => {
      if (socket === this.#socket) this.emit('end');
    });
    const [port, host] = this.#address;
    if (typeof port === 'string') socket.connect(port);
    else socket.connect(port, host ?? 'localhost');
    return socket;
  }

  #encrypt(socket: Socket): void {
    this.#phase = 'handshake';
    this.upgradeToSSL(this.#address[1], (error) => {
      // A connection that ends because of its timeout is not opened again.
      if (this.#phase === 'handshake' && !this._ending) this.#reconnectInClear();
      else this.#emitError(socket, error);
    });
    this.stream.once('secureConnect', () => {
      if (socket === this.#socket) this.#phase = 'encrypted';
    });
  }

  #logInClear(socket: Socket): void {
    this.#phase = 'clear';
    this.attachListeners(socket);
    this.emit('sslconnect');
  }

  #reconnectInClear(): void {
    const given = this.#socket;
    const socket = this.#open(new Socket());
    given?.destroy();
    this.#phase = 'clear';
    socket.once('connect', () => this.#logInClear(socket));
  }

  #emitError(socket: Socket, error: Error): void {
    if (socket !== this.#socket) return;
    // As in the driver: such errors are ignored while it closes.
    if (this._ending && 'code' in error && (error.code === 'ECONNRESET' || error.code === 'EPIPE')) return;
    this.emit('error', error);
  }

  #emitUnlessRejected(event: string | symbol, given: unknown[]): boolean {
    const [message] = given;
    if (event === 'errorMessage' && this.#phase === 'encrypted' && isLoginRejection(message)) {
      this.#reconnectInClear();
      return true;
    }
    // oxlint-disable-next-line typescript/unbound-method -- it replaces the method of this object
    if (event === 'authenticationOk') this.emit = super.emit;
    return super.emit(event, ...given);
  }
}

/** Returns whether the server's rules (`pg_hba.conf`) reject this login. */
function isLoginRejection(message: unknown): boolean {
  return isNativeError(message) && 'code' in message && message.code === '28000';
}
