import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { expect, onTestFinished } from 'vitest';

/** What separates the processes of two containers that share a directory. */
export interface Container {
  /** Put before a command, which then runs in the container. */
  readonly wrapper: readonly string[];
  /** Ends every process in it at once, as the end of a container does. */
  kill(): Promise<void>;
}

/**
 * Starts a container of namespaces: its processes have ids, shared memory and a /proc of their own, and the files and
 * network of this machine. Like many images, it has a first process that collects no others. Gone after the test.
 */
export async function startContainer(): Promise<Container> {
  const separate = ['--pid', '--ipc', '--fork', '--kill-child', '--mount-proc'];
  const outer = spawn('unshare', [...separate, 'sleep', 'infinity'], { stdio: 'ignore', cwd: '/' });
  const ended = once(outer, 'exit');
  const kill = async (): Promise<void> => {
    outer.kill('SIGKILL');
    await ended;
    await expect.poll(() => readFile(`/proc/${first}/stat`, 'utf8').catch(() => ' Z ')).toContain(' Z ');
  };
  const children = `/proc/${outer.pid}/task/${outer.pid}/children`;
  await expect.poll(() => readFile(children, 'utf8'), { interval: 5 }).toMatch(/\d/);
  const first = (await readFile(children, 'utf8')).trim();
  onTestFinished(kill);
  // It mounts /proc before it becomes what it is to be.
  await expect.poll(() => readFile(`/proc/${first}/comm`, 'utf8'), { interval: 5 }).toBe('sleep\n');
  return { wrapper: ['nsenter', `--target=${first}`, '--pid', '--ipc', '--mount', '--'], kill };
}
