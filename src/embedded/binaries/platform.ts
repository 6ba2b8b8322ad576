import { EmbeddedPostgresError } from '../errors/embedded-postgres-error.ts';

const supported = new Set([
  'darwin-arm64',
  'darwin-x64',
  'linux-arm',
  'linux-arm64',
  'linux-ia32',
  'linux-ppc64',
  'linux-x64',
]);

/**
 * Returns the name of this platform in the packages of `@embedded-postgres`, such as `linux-x64`. Windows is not supported.
 *
 * @throws EmbeddedPostgresError `unsupported_platform`.
 */
export function platform(): string {
  const name = `${process.platform}-${process.arch}`;
  if (supported.has(name)) return name;
  throw new EmbeddedPostgresError(
    'unsupported_platform',
    `The embedded PostgreSQL runs on macOS and Linux, not on ${name}. Set DATABASE_URL to another server.`,
  );
}
