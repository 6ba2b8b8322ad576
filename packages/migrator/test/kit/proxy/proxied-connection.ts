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

const asksForEncryption = new Set([80_877_103, 80_877_104]);
const asksForCancel = 80_877_102;
const tlsHandshake = 0x16;

/** One client's connection, passed on to the server message by message. */
export class ProxiedConnection {
  /** Whether it asks, in clear text, for a cancel. */
  isCancel = false;
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #faultAt: (statement: string) => Fault | undefined;
  readonly #statements: ClientStatements;
  readonly #clientReader = new MessageReader({ typed: false });
  readonly #serverReader = new MessageReader({ typed: true });
  // `encrypted`: passed on unread. `doomed`: the answer that comes will not be passed on. `broken`: nothing is.
  #state: 'open' | 'encrypted' | 'doomed' | 'broken' = 'open';
  #awaitsEncryption = false;
  #lastType = '';
  #fault: Fault | undefined;
  /** What waits behind a statement that is not passed on yet. */
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
      // A close follows, which tells the other side.
      one.on('error', () => {});
      one.on('close', () => {
        if (this.#state !== 'broken') other.end();
      });
      one.on('drain', () => {
        if (this.#state !== 'broken') other.resume();
      });
    }
  }

  /** Breaks it as it stands. */
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
      else this.#passOrHold(message);
    }
  }

  #startup({ body, bytes }: Message): void {
    const code = body.readUInt32BE(0);
    this.#awaitsEncryption = asksForEncryption.has(code);
    this.isCancel = code === asksForCancel;
    this.#clientReader.typed = code >>> 16 === 3;
    this.#send(this.#server, bytes);
  }

  #pass(message: Message): void {
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
      void this.#passAfter(fault.after(), message);
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

  async #passAfter(event: Promise<void>, message: Message): Promise<void> {
    const waiting: Message[] = [];
    this.#waiting = waiting;
    await event;
    this.#waiting = undefined;
    this.#send(this.#server, message.bytes);
    for (const next of waiting) this.#passOrHold(next);
  }

  // What waits behind one may have to wait for another.
  #passOrHold(message: Message): void {
    if (this.#waiting) this.#waiting.push(message);
    else this.#pass(message);
  }

  #fromServer(chunk: Buffer): void {
    const messages = this.#awaitsEncryption ? this.#encryptionAnswer(chunk) : chunk;
    if (this.#state === 'encrypted') return this.#send(this.#client, messages);
    this.#client.cork();
    for (const message of this.#serverReader.read(messages)) {
      if (this.#state === 'doomed' && this.#isAnswered(message)) this.break('cut');
      if (this.#state !== 'open') continue;
      if (message.type === 'C' && this.#answered()) continue;
      this.#send(this.#client, isInjected(message) ? injectedError(this.#fault) : message.bytes);
    }
    this.#client.uncork();
  }

  /** Sends the error that takes the place of the server's answer, if there is one. */
  #answered(): boolean {
    if (typeof this.#fault !== 'object' || !('answer' in this.#fault)) return false;
    const { answer, severity, goesOn = false } = this.#fault;
    this.#fault = undefined;
    this.#send(this.#client, errorMessage(answer, severity));
    if (!goesOn) {
      this.#state = 'broken';
      this.#client.end();
      this.#server.destroy();
    }
    return true;
  }

  /** Passes the single byte on that answers the wish for encryption; gives what follows it. */
  #encryptionAnswer(chunk: Buffer): Buffer {
    this.#awaitsEncryption = false;
    const answer = String.fromCharCode(chunk[0] ?? 0);
    // Anything else is an error, a message like others.
    if (!'SGN'.includes(answer)) return chunk;
    if (answer !== 'N') this.#state = 'encrypted';
    this.#send(this.#client, chunk.subarray(0, 1));
    return chunk.subarray(1);
  }

  // The client waits for one answer before it sends the next statement, as all of Node's do.
  #isAnswered({ type }: Message): boolean {
    if ('ZGHWs'.includes(type)) return true;
    // Without a sync behind the execute nothing else is to come; with one, the server commits first.
    return 'CIE'.includes(type) && !'QS'.includes(this.#lastType);
  }

  #send(to: Socket, bytes: Buffer): void {
    if (bytes.length === 0 || to.write(bytes)) return;
    (to === this.#server ? this.#client : this.#server).pause();
  }
}
