import { randomUUID } from 'node:crypto';
import { closeSync, openSync, read, renameSync, rmSync, statSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { isNativeError } from 'node:util/types';
import { SettingsError } from '../errors.ts';

const chunkSize = 64 * 1_024;
const readSome = promisify(read);

/** A file that gets its name when it is complete; until then it has another one beside it, which can't be foreseen. */
export class PartialFile implements Disposable {
  readonly #what: string;
  readonly #path: string | undefined;
  readonly #partial: string | undefined;
  readonly #descriptor: number;
  #buffer = '';
  #isNamed = false;
  // Ctrl-C exits without disposing of anything.
  readonly #removeAtExit = (): void => this.#remove();

  /**
   * Opens the file; without a path, a temporary one that is only read by `contents`. `what` names it in messages, such as "the report".
   *
   * @throws SettingsError when the file can't be written.
   */
  constructor(what: string, path: string | undefined) {
    this.#what = `${what} ${path ?? `in ${tmpdir()}`}`;
    this.#path = path;
    if (path !== undefined) {
      this.#assertRegular(path);
      this.#partial = join(dirname(path), `.${basename(path)}.${randomUUID()}.partial`);
    }
    try {
      // Not a file that exists, nor one that a link leads to.
      this.#descriptor = this.#partial === undefined ? openUnlinkedFile() : openSync(this.#partial, 'wx+');
    } catch (cause) {
      throw new SettingsError(
        `${this.#what} can't be written; check that its directory exists and is writable`,
        { cause },
      );
    }
    process.once('exit', this.#removeAtExit);
  }

  /**
   * Appends text, or bytes.
   *
   * @throws Error when the file can't be written.
   */
  write(part: string | Uint8Array): void {
    if (typeof part === 'string') this.#buffer += part;
    if (this.#buffer.length >= chunkSize || typeof part !== 'string') this.#flush();
    if (typeof part !== 'string') this.#send(part);
  }

  /**
   * Gives the file its name.
   *
   * @throws Error when the file can't be written.
   */
  complete(): void {
    this.#flush();
    if (this.#path === undefined || this.#partial === undefined) return;
    renameSync(this.#partial, this.#path);
    this.#isNamed = true;
  }

  /** Yields the bytes of the complete file in chunks. */
  async *contents(): AsyncGenerator<Uint8Array> {
    // A stream would close the file when its reader stops early.
    for (let position = 0; ;) {
      const { buffer, bytesRead } = await readSome(this.#descriptor, {
        buffer: new Uint8Array(chunkSize),
        position,
      });
      if (bytesRead === 0) return;
      position += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  }

  [Symbol.dispose](): void {
    process.off('exit', this.#removeAtExit);
    closeSync(this.#descriptor);
    this.#remove();
  }

  #remove(): void {
    if (this.#partial !== undefined && !this.#isNamed) rmSync(this.#partial, { force: true });
  }

  #flush(): void {
    const text = this.#buffer;
    this.#buffer = '';
    this.#send(Buffer.from(text));
  }

  #send(bytes: Uint8Array): void {
    let rest = bytes;
    try {
      while (rest.length > 0) rest = rest.subarray(writeSync(this.#descriptor, rest));
    } catch (cause) {
      const why = isNativeError(cause) ? cause.message : String(cause);
      throw new Error(`${this.#what} can't be written: ${why}`, { cause });
    }
  }

  /** Refuses a device, such as /dev/stdout, which renaming would replace by a file. */
  #assertRegular(path: string): void {
    const existing = statSync(path, { throwIfNoEntry: false });
    if (existing && !existing.isFile())
      throw new SettingsError(
        `${this.#what} can't be written: it is not a regular file; give one, or print it`,
      );
  }
}

/** Opens a temporary file without a name, which disappears with the process. */
function openUnlinkedFile(): number {
  const path = join(tmpdir(), `synthdb-import-${randomUUID()}`);
  const descriptor = openSync(path, 'wx+', 0o600);
  unlinkSync(path);
  return descriptor;
}
