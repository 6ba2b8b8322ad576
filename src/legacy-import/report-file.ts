import type { ImportFinding } from './conversion/import-finding.ts';
import { PartialFile } from './partial-file.ts';

/** Streams a JSON document `{ findings: […], … }` into a file, since the findings may not fit into memory. */
export class ReportFile implements Disposable {
  readonly #file: PartialFile;
  #separator = '\n';

  /**
   * Opens the file; without a path, a temporary one that is only read by `contents`.
   *
   * @throws SettingsError when the file can't be written.
   */
  constructor(path?: string) {
    this.#file = new PartialFile('the report', path);
    this.#file.write('{\n"findings": [');
  }

  /**
   * Appends a finding.
   *
   * @throws Error when the file can't be written.
   */
  add(finding: ImportFinding): void {
    this.#file.write(`${this.#separator}${JSON.stringify(finding)}`);
    this.#separator = ',\n';
  }

  /**
   * Ends the document with further members, and gives the file its name.
   *
   * @throws Error when the file can't be written.
   */
  end(rest: object): void {
    this.#file.write(`\n],\n${JSON.stringify(rest, null, 2).slice(2)}\n`);
    this.#file.complete();
  }

  /** Yields the bytes of the ended document in chunks. */
  contents(): AsyncGenerator<Uint8Array> {
    return this.#file.contents();
  }

  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]();
  }
}
