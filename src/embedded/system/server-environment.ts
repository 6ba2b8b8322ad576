/**
 * The complete environment of PostgreSQL's programs. The caller's is not inherited: the server may run as another user, who must not see
 * the caller's secrets, and a stray `PGDATA` or `LC_ALL` would change its behaviour. Messages are in English, times in UTC.
 */
export const serverEnvironment: Readonly<Record<string, string>> = {
  PATH: process.env['PATH'] ?? '/usr/bin:/bin',
  LC_ALL: 'C',
  TZ: 'UTC',
};
