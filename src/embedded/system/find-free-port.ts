import { once } from 'node:events';
import { createServer } from 'node:net';

const first = 15_432;
/** Below the ephemeral ports (from 32768), which outgoing connections occupy. */
const last = 15_531;

/** Returns `preferred` when it is free on the loopback address, otherwise the first free port of 15432 to 15531; null when none is. */
export async function findFreePort(preferred: number | null): Promise<number | null> {
  if (preferred !== null && (await isPortFree(preferred))) return preferred;
  for (let port = first; port <= last; port += 1) {
    if (port !== preferred && (await isPortFree(port))) return port;
  }
  return null;
}

/**
 * Whether a port of the loopback address is free. Listens on it for an instant, since connecting would miss a process that is bound and
 * does not accept connections.
 */
export async function isPortFree(port: number): Promise<boolean> {
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
