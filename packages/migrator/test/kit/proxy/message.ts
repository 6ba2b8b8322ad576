/** One message of PostgreSQL's wire protocol. */
export interface Message {
  /** A letter; empty for the first messages of a client, which have none. */
  readonly type: string;
  /** What follows the length. */
  readonly body: Buffer;
  /** The whole of it, as it goes over the wire. */
  readonly bytes: Buffer;
}

/** A message to be sent. Texts end with a zero byte each. */
export function message(type: string, ...parts: readonly (string | Buffer)[]): Buffer {
  const body = Buffer.concat(
    parts.map((part) => (typeof part === 'string' ? Buffer.from(`${part}\0`) : part)),
  );
  const head = Buffer.alloc(type.length + 4);
  head.write(type, 'latin1');
  head.writeUInt32BE(body.length + 4, type.length);
  return Buffer.concat([head, body]);
}

/** The texts at the beginning of a message's body. */
export function texts({ body }: Message, count: number): string[] {
  const found: string[] = [];
  for (let from = 0; found.length < count;) {
    const end = body.indexOf(0, from);
    if (end === -1) throw new Error(`a message ends in the middle of its text ${found.length + 1}`);
    found.push(body.toString('utf8', from, end));
    from = end + 1;
  }
  return found;
}

/** Splits a stream, which arrives in any chunks, into messages. */
export class MessageReader {
  /** Whether messages begin with the letter of their type; a client's first ones do not. */
  typed: boolean;
  /** Whether nothing has arrived yet. */
  isFresh = true;
  #chunks: Buffer[] = [];
  #length = 0;

  constructor({ typed }: { typed: boolean }) {
    this.typed = typed;
  }

  /** Takes in what has arrived, and gives the messages that are whole. */
  *read(chunk: Buffer): Generator<Message> {
    this.isFresh = false;
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    for (;;) {
      const head = this.typed ? 5 : 4;
      if (this.#length < head) return;
      const length = head - 4 + this.#first(head).readUInt32BE(head - 4);
      if (this.#length < length) return;
      const bytes = this.#take(length);
      yield {
        type: this.typed ? String.fromCharCode(bytes[0] ?? 0) : '',
        body: bytes.subarray(head),
        bytes,
      };
    }
  }

  #first(length: number): Buffer {
    const [first = Buffer.alloc(0)] = this.#chunks;
    // Joined only when needed: a message of many megabytes arrives in thousands of chunks.
    return first.length >= length ? first : this.#joined();
  }

  #take(length: number): Buffer {
    const all = this.#joined();
    this.#chunks = [all.subarray(length)];
    this.#length -= length;
    return all.subarray(0, length);
  }

  #joined(): Buffer {
    const all =
      this.#chunks.length === 1 ? (this.#chunks[0] ?? Buffer.alloc(0)) : Buffer.concat(this.#chunks);
    this.#chunks = [all];
    return all;
  }
}
