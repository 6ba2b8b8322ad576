import type { ClientConfig } from 'pg';

export interface TxClientConfig extends ClientConfig {
  /** Milliseconds for the server to answer, before the connection is closed. 0: no limit. */
  readonly answerTimeout?: number;
  /** Milliseconds for a new connection; `connectionTimeoutMillis` is the time for which the pool's callers wait for any connection. */
  readonly connectTimeout?: number | undefined;
}

/** Returns a client to the pool. With an error, the pool closes the client. The pool sets it at each checkout. */
export type Release = (error?: Error | boolean) => void;

/**
 * Returns the configuration with `connectTimeout` as the driver's timeout of a new connection. It inherits the other options, because the
 * pool hides the password from printing and spreading of its options.
 */
export function withConnectTimeout(config?: string | TxClientConfig): string | ClientConfig | undefined {
  if (typeof config !== 'object' || config.connectTimeout === undefined) return config;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- `create` does not know the inherited properties
  return Object.create(config, { connectionTimeoutMillis: { value: config.connectTimeout } }) as ClientConfig;
}
