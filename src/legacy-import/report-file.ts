import { randomUUID } from 'node:crypto';
import { closeSync, openSync, read, renameSync, statSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { isNativeError } from 'node:util/types';
import { SettingsError } from '../errors.ts';
import type { Finding } from './finding.ts';

const mostKept = 64 * 1_024;
const readSome = promisify(read);

/**
 * A JSON document `{ findings: […], … }`, written while the findings come, since there may be more of them than fit into memory.
 * The file has its name once it is whole.
 */
export class ReportFile implements Disposable {
  readonly #path: string | undefined;
  readonly #descriptor: number;
  #kept = '{\n"findings": [';
  #separator = '\n';

  /**
   * Without a path it is only there to be printed.
   *
   * @throws SettingsError when the file can't be written.
   */
  constructor(path?: string) {
    this.#path = path;
    if (path !== undefined) mustBeFile(path);
    try {
      this.#descriptor = path === undefined ? openNameless() : openSync(`${path}.partial`, 'w+');
    } catch (cause) {
      throw new SettingsError(
        `${this.#name} can't be written: see that its directory is there and may be written to`,
        { cause },
      );
    }
  }

  /** @throws Error when the file can't take more. */
  add(finding: Finding): void {
    this.#write(`${this.#separator}${JSON.stringify(finding)}`);
    this.#separator = ',\n';
  }

  /**
   * Ends the document with what there is to say of the whole.
   *
   * @throws Error when the file can't take more.
   */
  end(rest: object): void {
    this.#write(`\n],\n${JSON.stringify(rest, null, 2).slice(2)}\n`);
    this.#flush();
    if (this.#path !== undefined) renameSync(`${this.#path}.partial`, this.#path);
  }

  /** Returns the bytes of the document, which has ended, in pieces: it may not fit into memory. */
  async *contents(): AsyncGenerator<Uint8Array> {
    // Not by a stream: one that is left early closes the file.
    for (let position = 0; ;) {
      const { buffer, bytesRead } = await readSome(this.#descriptor, {
        buffer: new Uint8Array(mostKept),
        position,
      });
      if (bytesRead === 0) return;
      position += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  }

  [Symbol.dispose](): void {
    closeSync(this.#descriptor);
  }

  get #name(): string {
    return this.#path === undefined ? `the report in ${tmpdir()}` : `the report ${this.#path}`;
  }

  #write(text: string): void {
    this.#kept += text;
    if (this.#kept.length >= mostKept) this.#flush();
  }

  #flush(): void {
    let bytes = Buffer.from(this.#kept);
    this.#kept = '';
    try {
      while (bytes.length > 0) bytes = bytes.subarray(writeSync(this.#descriptor, bytes));
    } catch (cause) {
      const why = isNativeError(cause) ? cause.message : String(cause);
      throw new Error(`${this.#name} can't be written: ${why}`, { cause });
    }
  }
}

/** A device, such as /dev/stdout, would be replaced by the file. */
function mustBeFile(path: string): void {
  const there = statSync(path, { throwIfNoEntry: false });
  if (there && !there.isFile()) {
    throw new SettingsError(`the report ${path} can't be written: that is no file; --json prints it`);
  }
}

/** A file that nobody else finds, and that is gone with the process. */
function openNameless(): number {
  const path = join(tmpdir(), `synthdb-import-${randomUUID()}`);
  const descriptor = openSync(path, 'wx+', 0o600);
  unlinkSync(path);
  return descriptor;
}
