import { randomUUID } from 'node:crypto';
import { closeSync, createReadStream, openSync, renameSync, statSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { isNativeError } from 'node:util/types';
import { SettingsError } from '../errors.ts';
import type { Finding } from './finding.ts';

const mostKept = 64 * 1_024;

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

  /** Copies the document, which has ended, to standard output, as fast as somebody reads there: an import must not wait for that. */
  async print(): Promise<void> {
    try {
      const document = createReadStream('', { fd: this.#descriptor, start: 0, autoClose: false });
      await pipeline(document, process.stdout, { end: false });
    } catch (error) {
      // Who reads may have seen enough.
      if (!(isNativeError(error) && 'code' in error && error.code === 'EPIPE')) throw error;
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
