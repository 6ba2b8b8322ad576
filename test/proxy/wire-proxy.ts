import type { Server } from 'node:net';
import { portOf, WireProxy as MigratorWireProxy } from '../../packages/migrator/test/kit/proxy/wire-proxy.ts';
import { DatabaseTarget } from '../../src/settings/database-url.ts';
import { splitStatements } from './split-statements.ts';

// As `taggedText` writes it.
const tag = /^(\w+) \/\*[A-Za-z.]+\*\//;

/** The migrator's proxy, for our targets. Each statement of a query's text counts, without the tag of its call. */
export class WireProxy extends MigratorWireProxy {
  override readonly target: DatabaseTarget;

  private constructor(server: Server, { parts }: DatabaseTarget) {
    super(server, { parts }, (sql) => splitStatements(withoutTag(sql)));
    const reached = { host: '127.0.0.1', port: portOf(server), tls: { mode: 'disable' } } as const;
    this.target = new DatabaseTarget({ ...parts, ...reached });
  }

  // A prepared statement is recorded with the text that was sent.
  override get statements(): readonly string[] {
    return super.statements.map(withoutTag);
  }

  /** Starts a proxy on a free port of this machine. Close it with `close()`, or hold it with `await using`. */
  static override async start(behind: DatabaseTarget): Promise<WireProxy> {
    return new WireProxy(await MigratorWireProxy.listen(), behind);
  }
}

function withoutTag(sql: string): string {
  return sql.replace(tag, '$1');
}
