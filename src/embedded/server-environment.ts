/**
 * The whole environment of PostgreSQL's programs. The caller's own is not passed on: the server outlives the caller and
 * may belong to another user, who should not find the caller's secrets in it, and a stray `PGDATA` or `LC_ALL` would
 * change what it does. Messages are in English and times in UTC on every machine.
 */
export const serverEnvironment: Readonly<Record<string, string>> = {
  PATH: process.env['PATH'] ?? '/usr/bin:/bin',
  LC_ALL: 'C',
  TZ: 'UTC',
};
