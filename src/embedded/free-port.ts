import { once } from 'node:events';
import { createServer } from 'node:net';

const first = 15_432;
/** Far below the ports that systems hand out to outgoing connections (from 32768 on), which come and go. */
const last = 15_531;

/** `preferred` if nobody listens there on the loopback address, else the first of our hundred that is free, else null. */
export async function freePort(preferred: number | null): Promise<number | null> {
  if (preferred !== null && (await isFree(preferred))) return preferred;
  for (let port = first; port <= last; port += 1) {
    if (port !== preferred && (await isFree(port))) return port;
  }
  return null;
}

/**
 * Returns whether nobody listens on a port of the loopback address. It is tried by listening on it for an instant:
 * connecting would miss a process that is bound and does not answer.
 */
export async function isFree(port: number): Promise<boolean> {
  const probe = createServer();
  try {
    probe.listen({ host: '127.0.0.1', port, exclusive: true });
    await once(probe, 'listening');
  } catch {
    return false;
  }
  probe.close();
  await once(probe, 'close');
  return true;
}
