import { closeSync, openSync, renameSync, writeSync } from 'node:fs';
import { SettingsError } from '../errors.ts';
import type { Finding } from './finding.ts';

const mostKept = 64 * 1_024;

/**
 * A JSON document `{ findings: […], … }`, written while the findings come, since there may be more of them than fit into memory.
 * The file has its name once it is whole.
 */
export class ReportFile {
  readonly #path: string | undefined;
  readonly #descriptor: number;
  #kept = '{\n"findings": [';
  #separator = '\n';

  /**
   * Without a path it goes to standard output.
   *
   * @throws SettingsError when the file can't be written.
   */
  constructor(path?: string) {
    this.#path = path;
    try {
      this.#descriptor = path === undefined ? 1 : openSync(`${path}.partial`, 'w');
    } catch (cause) {
      throw new SettingsError(
        `the report ${path} can't be written: see that its directory is there and may be written to`,
        { cause },
      );
    }
  }

  add(finding: Finding): void {
    this.#write(`${this.#separator}${JSON.stringify(finding)}`);
    this.#separator = ',\n';
  }

  /** Ends the document with what there is to say of the whole. */
  end(rest: object): void {
    this.#write(`\n],\n${JSON.stringify(rest, null, 2).slice(2)}\n`);
    this.#flush();
    if (this.#path === undefined) return;
    closeSync(this.#descriptor);
    renameSync(`${this.#path}.partial`, this.#path);
  }

  #write(text: string): void {
    this.#kept += text;
    if (this.#kept.length >= mostKept) this.#flush();
  }

  #flush(): void {
    let bytes = Buffer.from(this.#kept);
    this.#kept = '';
    while (bytes.length > 0) bytes = bytes.subarray(writeSync(this.#descriptor, bytes));
  }
}
