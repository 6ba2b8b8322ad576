import type { ClientBase } from 'pg';

/**
 * Returns the process id that the server sent at login; null if the driver does not keep it. A pooler sends a different id than that of
 * the server process. The driver keeps it in `processID`, which its types omit.
 */
export function announcedProcess(client: ClientBase & { readonly processID?: number | null }): number | null {
  return client.processID ?? null;
}
