import type { Finding } from './findings.ts';

/** How a connection is encrypted, if it is. */
export interface TlsFacts {
  readonly inUse: boolean;
  /** Whether the server had to prove who it is, and did. */
  readonly verified: boolean;
  /** Such as `TLSv1.3`; null without TLS. */
  readonly protocol: string | null;
}

/** Returns the finding on a connection to `host`. An unverified one is a warning, except to this machine. */
export function tlsFinding(facts: TlsFacts, host: string): Finding {
  const { inUse, verified, protocol } = facts;
  const what = inUse ? `${protocol}, the server ${verified ? '' : 'not '}verified` : 'not in use';
  if (verified || isLoopback(host)) return { subject: 'tls', level: 'fine', says: what, facts: { ...facts } };
  return {
    subject: 'tls',
    level: 'warning',
    says: `${what}: who is in between can ${inUse ? 'pass for the server' : 'read everything'}; set sslmode=verify-full and sslrootcert in the URL`,
    facts: { ...facts },
  };
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.\d+){3}$/.test(host) || host.startsWith('/');
}
