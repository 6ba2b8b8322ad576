import type { Socket } from 'node:net';
import { ClientStatements, type Split } from './client-statements.ts';
import {
  errorMessage,
  failingExecute,
  failingQuery,
  injectedError,
  isInjected,
  type Break,
  type Fault,
} from './fault.ts';
import { MessageReader, type Message } from './message.ts';

const encryptionRequests = new Set([80_877_103, 80_877_104]);
const cancelRequest = 80_877_102;
const tlsHandshake = 0x16;

/** The connection of one client, forwarded to the server message by message. */
export class ProxiedConnection {
  /** Whether it is a cancel request in clear text. */
  isCancel = false;
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #faultAt: (statement: string) => Fault | undefined;
  readonly #statements: ClientStatements;
  readonly #clientReader = new MessageReader({ typed: false });
  readonly #serverReader = new MessageReader({ typed: true });
  // `encrypted`: forwarded unread. `doomed`: the next answer is not forwarded. `broken`: nothing is forwarded.
  #state: 'open' | 'encrypted' | 'doomed' | 'broken' = 'open';
  #awaitsEncryption = false;
  #lastType = '';
  #fault: Fault | undefined;
  /** The messages after a statement that is not forwarded yet. */
  #waiting: Message[] | undefined;

  /** `faultAt` is called with each statement, and returns its fault; undefined to pass it on. */
  constructor(
    client: Socket,
    server: Socket,
    split: Split,
    faultAt: (statement: string) => Fault | undefined,
  ) {
    this.#statements = new ClientStatements(split);
    this.#client = client;
    this.#server = server;
    this.#faultAt = faultAt;
    for (const [one, other, receive] of [
      [client, server, (chunk: Buffer) => this.#fromClient(chunk)],
      [server, client, (chunk: Buffer) => this.#fromServer(chunk)],
    ] as const) {
      one.setNoDelay(true);
      one.on('data', receive);
      // A close follows, which also closes the other side.
      one.on('error', () => {});
      one.on('close', () => {
        if (this.#state !== 'broken') other.end();
      });
      one.on('drain', () => {
        if (this.#state !== 'broken') other.resume();
      });
    }
  }

  /** Breaks the connection. */
  break(how: Break): void {
    this.#state = 'broken';
    if (how === 'reset') this.#client.resetAndDestroy();
    else if (how === 'cut') this.#client.destroy();
    else this.#client.pause();
    if (how === 'silent') this.#server.pause();
    else this.#server.destroy();
  }

  /** Ends it on both sides, also when it is broken. */
  destroy(): void {
    this.#client.destroy();
    this.#server.destroy();
  }

  #fromClient(chunk: Buffer): void {
    if (this.#clientReader.isFresh && chunk[0] === tlsHandshake) this.#state = 'encrypted';
    if (this.#state === 'encrypted') return this.#send(this.#server, chunk);
    for (const message of this.#clientReader.read(chunk)) {
      if (this.#state === 'broken') return;
      if (message.type === '') this.#startup(message);
      else this.#forwardOrHold(message);
    }
  }

  #startup({ body, bytes }: Message): void {
    const code = body.readUInt32BE(0);
    this.#awaitsEncryption = encryptionRequests.has(code);
    this.isCancel = code === cancelRequest;
    this.#clientReader.typed = code >>> 16 === 3;
    this.#send(this.#server, bytes);
  }

  #forward(message: Message): void {
    this.#lastType = message.type;
    if (this.#fault === 'cut while copying' && message.type === 'd') return this.break('cut');
    const before: string[] = [];
    for (const statement of this.#statements.of(message)) {
      const fault = this.#faultAt(statement);
      if (fault) return this.#fail(fault, message, before);
      before.push(statement);
    }
    this.#send(this.#server, message.bytes);
  }

  #fail(fault: Fault, message: Message, before: readonly string[]): void {
    if (typeof fault === 'object' && 'after' in fault) {
      void this.#forwardAfter(fault.after(), message);
      return;
    }
    this.#fault = fault;
    if (typeof fault === 'object' && 'answer' in fault) {
      this.#send(this.#server, message.bytes);
    } else if (fault === 'error' || typeof fault === 'object') {
      this.#send(this.#server, message.type === 'Q' ? failingQuery(before) : failingExecute());
    } else if (fault === 'cut after sending' || fault === 'cut while copying') {
      if (fault === 'cut after sending') this.#state = 'doomed';
      this.#send(this.#server, message.bytes);
    } else {
      this.break(fault);
    }
  }

  async #forwardAfter(event: Promise<void>, message: Message): Promise<void> {
    const waiting: Message[] = [];
    this.#waiting = waiting;
    await event;
    this.#waiting = undefined;
    this.#send(this.#server, message.bytes);
    for (const next of waiting) this.#forwardOrHold(next);
  }

  // A waiting message may have to wait again, for another statement.
  #forwardOrHold(message: Message): void {
    if (this.#waiting) this.#waiting.push(message);
    else this.#forward(message);
  }

  #fromServer(chunk: Buffer): void {
    const messages = this.#awaitsEncryption ? this.#encryptionAnswer(chunk) : chunk;
    if (this.#state === 'encrypted') return this.#send(this.#client, messages);
    this.#client.cork();
    for (const message of this.#serverReader.read(messages)) {
      if (this.#state === 'doomed' && this.#isAnswered(message)) this.break('cut');
      if (this.#state !== 'open') continue;
      if (message.type === 'C' && this.#replaceAnswer()) continue;
      this.#send(this.#client, isInjected(message) ? injectedError(this.#fault) : message.bytes);
    }
    this.#client.uncork();
  }

  /** Sends the error that replaces the server's answer. Returns false when there is none. */
  #replaceAnswer(): boolean {
    if (typeof this.#fault !== 'object' || !('answer' in this.#fault)) return false;
    const { answer, severity, acceptsStatements = false } = this.#fault;
    this.#fault = undefined;
    this.#send(this.#client, errorMessage(answer, severity));
    if (!acceptsStatements) {
      this.#state = 'broken';
      this.#client.end();
      this.#server.destroy();
    }
    return true;
  }

  /** Forwards the single byte that answers the request for encryption, and returns the rest. */
  #encryptionAnswer(chunk: Buffer): Buffer {
    this.#awaitsEncryption = false;
    const answer = String.fromCharCode(chunk[0] ?? 0);
    // Anything else is an error, a message like others.
    if (!'SGN'.includes(answer)) return chunk;
    if (answer !== 'N') this.#state = 'encrypted';
    this.#send(this.#client, chunk.subarray(0, 1));
    return chunk.subarray(1);
  }

  // The client waits for an answer before it sends the next statement, as all clients for Node do.
  #isAnswered({ type }: Message): boolean {
    if ('ZGHWs'.includes(type)) return true;
    // Without a Sync after the execute, there is no further answer; with one, the server commits first.
    return 'CIE'.includes(type) && !'QS'.includes(this.#lastType);
  }

  #send(to: Socket, bytes: Buffer): void {
    if (bytes.length === 0 || to.write(bytes)) return;
    (to === this.#server ? this.#client : this.#server).pause();
  }
}
