// Not SIGHUP, which `nohup` makes a process ignore.
const terminations: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM'];

let received: NodeJS.Signals | undefined;
let isHandled = false;

/** Returns the exit code of the signal that stopped a command; undefined without one. */
export function terminationCode(): number | undefined {
  return received && codeOf(received);
}

// As a shell reports a process that was ended by it.
function codeOf(name: NodeJS.Signals): number {
  return name === 'SIGINT' ? 130 : 143;
}

/**
 * Ends the process at SIGINT and SIGTERM, with the exit code of a process that was ended by them. Without a handler, the first process
 * of a container ignores them.
 */
export function exitOnTermination(): void {
  if (isHandled) return;
  isHandled = true;
  for (const name of terminations) process.on(name, exitAtOnce);
}

function exitAtOnce(name: NodeJS.Signals): void {
  // oxlint-disable-next-line unicorn/no-process-exit -- as without a handler
  process.exit(codeOf(name));
}

/** Runs `work` with a signal that is aborted at SIGINT or SIGTERM. A second one ends the process at once. */
export async function withTerminationSignal<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const stop = (name: NodeJS.Signals): void => {
    if (received) exitAtOnce(name);
    received = name;
    controller.abort();
  };
  for (const name of terminations) process.off(name, exitAtOnce).on(name, stop);
  try {
    return await work(controller.signal);
  } finally {
    for (const name of terminations) {
      process.off(name, stop);
      if (isHandled) process.on(name, exitAtOnce);
    }
  }
}
