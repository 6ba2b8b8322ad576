import { readFileSync } from 'node:fs';
import { SettingsError } from '../errors.ts';

/** What the TLS layer of Node is told. */
export interface TlsOptions {
  readonly rejectUnauthorized: boolean;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly checkServerIdentity?: () => undefined;
}

const modes = ['disable', 'require', 'no-verify', 'verify-ca', 'verify-full'];

/**
 * TLS as libpq's parameters ask for it; false when they ask for none. `require` encrypts without verifying the server,
 * `verify-ca` verifies its certificate, `verify-full` its name too.
 *
 * @throws SettingsError on an unknown mode, or a file that can't be read.
 */
export function tlsOptions(parameters: URLSearchParams, name: string): TlsOptions | false {
  const mode = parameters.get('sslmode') ?? 'disable';
  if (!modes.includes(mode)) {
    throw new SettingsError(`${name} has sslmode=${mode}; ${modes.join(', ')} are understood`);
  }
  if (mode === 'disable') return false;
  const file = (key: string): string | undefined => {
    const path = parameters.get(key);
    if (path === null) return undefined;
    try {
      return readFileSync(path, 'utf8');
    } catch (cause) {
      throw new SettingsError(`${name} has ${key}=${path}, a file that can't be read`, { cause });
    }
  };
  const [ca, cert, key] = [file('sslrootcert'), file('sslcert'), file('sslkey')];
  // As libpq has it: a root certificate makes `require` verify the chain.
  const verifies = mode === 'verify-ca' || mode === 'verify-full' || (mode === 'require' && ca !== undefined);
  return {
    rejectUnauthorized: verifies,
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(mode !== 'verify-full' && { checkServerIdentity: () => undefined }),
  };
}
