import type { DoctorFinding } from './findings.ts';

/** The encryption of a connection. */
export interface TlsFacts {
  readonly inUse: boolean;
  /** Whether the server's certificate was required and verified. */
  readonly verified: boolean;
  /** Such as `TLSv1.3`; null without TLS. */
  readonly protocol: string | null;
}

/** Returns the finding for a connection to `host`: a warning for an unverified one that leaves this machine. */
export function tlsFinding(facts: TlsFacts, host: string): DoctorFinding {
  const { inUse, verified, protocol } = facts;
  const what = inUse ? `${protocol}, the server ${verified ? '' : 'not '}verified` : 'not in use';
  if (verified || isLoopback(host))
    return { subject: 'tls', level: 'fine', message: what, facts: { ...facts } };
  return {
    subject: 'tls',
    level: 'warning',
    message: `${what}: an attacker in the network can ${inUse ? 'impersonate the server' : 'read everything'}; set sslmode=verify-full and sslrootcert in the URL`,
    facts: { ...facts },
  };
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.\d+){3}$/.test(host) || host.startsWith('/');
}
