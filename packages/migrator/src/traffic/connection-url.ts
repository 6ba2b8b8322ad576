/** Returns the URL of a connection's settings, for a module that opens its own. It has no options of TLS. */
export function connectionUrl(settings: Readonly<Record<string, unknown>>): string {
  const text = (name: string): string => {
    const value = settings[name];
    return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
  };
  const given = text('connectionString');
  if (given !== '') return given;
  const [user, password, database] = ['user', 'password', 'database'].map((name) =>
    encodeURIComponent(text(name)),
  );
  const host = text('host');
  // The directory of a socket.
  const isDirectory = host.startsWith('/');
  const address = isDirectory ? '' : host.includes(':') ? `[${host}]` : host;
  const credentials = `${user}${password === '' ? '' : `:${password}`}`;
  return `postgresql://${credentials}@${address || 'localhost'}:${text('port') || '5432'}/${database}${isDirectory ? `?host=${encodeURIComponent(host)}` : ''}`;
}
