import { execFile } from 'node:child_process';
import { chmod, chown, cp, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { MikroORM } from '@mikro-orm/postgresql';
import { connect } from '../../../src/postgres/orm/connect.ts';
import { parseDatabaseUrl, type DatabaseTarget } from '../../../src/settings/database-url.ts';
import { startEmbeddedServer } from '../../../src/testing/start-embedded-server.ts';
import { requestedMajor } from '../../../src/testing/start-test-server.ts';
import type { RunningServer } from '../../../src/testing/running-server.ts';

const run = promisify(execFile);
const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/** A PostgreSQL for one test, with configurable TLS and rules, and its own certificate authority. For `localhost` only. */
export class TlsServer {
  /** The URL without TLS, as the owner. */
  readonly target: DatabaseTarget;
  /** The directory with `ca.crt`, `other-ca.crt`, `client.crt` and `client.key`. */
  readonly certificates: string;
  readonly #server: RunningServer;
  readonly #orm: MikroORM;

  private constructor(server: RunningServer, target: DatabaseTarget, orm: MikroORM, certificates: string) {
    this.#server = server;
    this.target = target;
    this.#orm = orm;
    this.certificates = certificates;
  }

  /** Starts it, without TLS. */
  static async start(): Promise<TlsServer> {
    const certificates = await mkdtemp(join(tmpdir(), 'synthdb-tls-'));
    await makeCertificates(certificates);
    const server = await startEmbeddedServer(requestedMajor(process.env));
    const target = parseDatabaseUrl(server.url, 'url', { sslMode: 'disable' });
    const started = new TlsServer(server, target, await connect(target, { pool: { max: 1 } }), certificates);
    await started.#installCertificates();
    return started;
  }

  /** Switches TLS on or off for new connections. */
  async encrypt(on: boolean): Promise<void> {
    await this.#sql(`alter system set ssl = ${on ? 'on' : 'off'}`);
    await this.#reload(`select current_setting('ssl') = '${on ? 'on' : 'off'}' as done`);
  }

  /** Sets the rule of `pg_hba.conf` for new connections, besides the rule of the owner in clear text. */
  async letIn(line: string): Promise<void> {
    const [{ file } = { file: '' }] = await this.#sql<{ file: string }>(
      `select current_setting('hba_file') as file`,
    );
    await writeFile(file, `hostnossl all ${this.target.parts.user} all scram-sha-256\n${line}\n`);
    await this.#reload(`select count(*) = 2 and bool_and(error is null) as done from pg_hba_file_rules`);
  }

  /** Creates a role that may log in. */
  async makeRole(name: string, password: string): Promise<void> {
    await this.#sql(`create role ${name} login password '${password}'`);
  }

  async stop(): Promise<void> {
    await this.#orm.close(true);
    await this.#server.stop();
    await rm(this.certificates, { recursive: true });
  }

  async #installCertificates(): Promise<void> {
    const [{ data } = { data: '' }] = await this.#sql<{ data: string }>(
      `select current_setting('data_directory') as data`,
    );
    const { uid, gid } = await stat(data);
    for (const name of ['server.crt', 'server.key', 'ca.crt']) {
      const installed = join(data, name);
      await cp(join(this.certificates, name), installed);
      await chown(installed, uid, gid);
      await chmod(installed, 0o600);
    }
    await this.#sql(`alter system set ssl_ca_file = 'ca.crt'`);
  }

  // The postmaster reads its files after a delay; new sessions use the version that it has read.
  async #reload(asks: string): Promise<void> {
    await this.#sql('select pg_reload_conf()');
    for (;;) {
      const [answer] = await this.#sql<{ done: boolean }>(asks);
      const orm = await connect(this.target, { pool: { max: 1 } });
      const [fresh] = await orm.em.execute<{ done: boolean }[]>(asks);
      await orm.close(true);
      if (answer?.done && fresh?.done) return;
    }
  }

  #sql<Row extends object>(text: string): Promise<Row[]> {
    return this.#orm.em.execute<Row[]>(text);
  }
}

async function makeCertificates(directory: string): Promise<void> {
  const openssl = (...args: string[]) => run('openssl', args, { cwd: directory });
  for (const ca of ['ca', 'other-ca']) {
    const extensions = [
      '-addext',
      'basicConstraints=critical,CA:TRUE',
      '-addext',
      'keyUsage=critical,keyCertSign,cRLSign',
    ];
    await openssl(
      'req',
      '-x509',
      ...newKey,
      '-keyout',
      `${ca}.key`,
      '-out',
      `${ca}.crt`,
      '-days',
      '30',
      '-subj',
      `/CN=${ca}`,
      ...extensions,
    );
  }
  await writeFile(
    join(directory, 'server.ext'),
    'subjectAltName=DNS:localhost\nextendedKeyUsage=serverAuth\n',
  );
  await writeFile(join(directory, 'client.ext'), 'extendedKeyUsage=clientAuth\n');
  for (const [name, subject] of [
    ['server', '/CN=localhost'],
    ['client', '/CN=visitor'],
  ] as const) {
    await openssl('req', ...newKey, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', subject);
    await openssl(
      'x509',
      '-req',
      '-in',
      `${name}.csr`,
      '-CA',
      'ca.crt',
      '-CAkey',
      'ca.key',
      '-CAcreateserial',
      '-out',
      `${name}.crt`,
      '-days',
      '30',
      '-extfile',
      `${name}.ext`,
    );
  }
  const text = await readFile(join(directory, 'server.crt'), 'utf8');
  if (!text.includes('BEGIN CERTIFICATE')) throw new Error('openssl made no certificate');
}
