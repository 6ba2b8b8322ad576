import type { Session } from './session.ts';

/** Returns the server's time, in ISO 8601. */
export async function serverTime(session: Session): Promise<string> {
  const [row] = await session.query<{ now: string }>(`select to_json(clock_timestamp()) #>> '{}' as now`);
  return row?.now ?? '';
}
