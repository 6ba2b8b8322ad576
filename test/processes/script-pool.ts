import { ScriptProcess, type Run, type Script } from './script-process.ts';

/** Runs scripts in a limited number of processes, which it starts when needed and keeps. */
export class ScriptPool implements Disposable {
  #free: number;
  readonly #idle: ScriptProcess[] = [];
  readonly #waiting: (() => void)[] = [];

  constructor(limit: number) {
    this.#free = limit;
  }

  /** Runs a script, as soon as a process is free. */
  async run(script: Script): Promise<Run> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    let process = this.#idle.pop();
    while (process && !process.isAlive) process = this.#idle.pop();
    process ??= new ScriptProcess();
    try {
      return await process.run(script);
    } finally {
      if (process.isAlive) this.#idle.push(process);
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free++;
    }
  }

  /** Ends the idle processes. */
  [Symbol.dispose](): void {
    for (const process of this.#idle.splice(0)) process[Symbol.dispose]();
  }
}
