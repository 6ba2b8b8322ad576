import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { complete, LegacyWorkshop } from '../legacy-import/legacy-workshop.ts';
import { manyRows } from '../legacy-import/many-rows.ts';
import { main, startSynthdb, synthdb, type Run } from './run.ts';

let workshop: LegacyWorkshop;
beforeAll(async () => void (workshop = await LegacyWorkshop.open()));
beforeEach(() => workshop.empty());
afterAll(() => workshop.close());

const experiment = (id: string, columns: object = {}) => ({ id, ...complete.experiment, ...columns });

function importing(...args: string[]): Promise<Run> {
  return synthdb(['import', ...args], workshop.directory, { DATABASE_URL: workshop.database.url });
}

test('exits with 0, without a warning, when every row is imported', async () => {
  const file = workshop.file({ experiments: [experiment('exp_1')] });

  const { code, stdout, stderr } = await startSynthdb(['import', '--from', file], workshop.directory, {
    DATABASE_URL: workshop.database.url,
  });

  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toContain('experiments: 1 written');
  expect(stdout).toContain('Every row is accounted for.');
});

test('exits with 1 when a row is rejected, and names it in text and report', async () => {
  const file = workshop.file({
    experiments: [experiment('exp_1', { name: 'x'.repeat(101) }), experiment('exp_2')],
  });
  const report = join(workshop.directory, 'report.json');

  const { code, stdout, stderr } = await importing('--from', file, '--report', report);

  expect(code).toBe(1);
  expect(stdout).toContain('rejected: experiments exp_1, name: violates chk_experiments_name_length');
  expect(stderr).toContain('--allow-rejected 1');
  expect(JSON.parse(readFileSync(report, 'utf8'))).toMatchObject({
    findings: [{ outcome: 'rejected', table: 'experiments', key: 'exp_1', column: 'name' }],
    source: file,
    failures: [expect.any(String)],
    tables: expect.arrayContaining([
      expect.objectContaining({ table: 'experiments', rows: 2, written: 1, rejected: 1 }),
    ]),
  });
  expect(readdirSync(workshop.directory).filter((name) => name.includes('.partial'))).toEqual([]);
});

test('a report is not written through a link that waits for it', async () => {
  const report = join(workshop.directory, 'linked.json');
  const victim = join(workshop.directory, 'victim');
  writeFileSync(victim, 'precious');
  symlinkSync(victim, `${report}.partial`);

  const { code } = await importing('--from', workshop.file({}), '--dry-run', '--report', report);

  expect(code).toBe(0);
  expect(readFileSync(victim, 'utf8')).toBe('precious');
  expect(JSON.parse(readFileSync(report, 'utf8'))).toMatchObject({ failures: [] });
});

test('--from-env reads the source from the environment, which is given once', async () => {
  const from = workshop.file({ experiments: [experiment('exp_1')] });
  const run = (args: string[], environment: Record<string, string> = {}): Promise<Run> =>
    synthdb(['import', '--dry-run', ...args], workshop.directory, environment);

  expect(await run(['--from-env', 'OLD_URL'], { OLD_URL: from })).toMatchObject({ code: 0 });
  expect(await run(['--from-env', 'OLD_URL'])).toMatchObject({
    code: 2,
    stderr: 'synthdb: --from-env names OLD_URL, which is not set in the environment\n',
  });
  const says = 'synthdb: give the source once: --from with its path or URL, or --from-env\n';
  expect(await run([])).toMatchObject({ code: 2, stderr: says });
  expect(await run(['--from', from, '--from-env', 'OLD_URL'])).toMatchObject({ code: 2, stderr: says });
});

test('says how times were read', async () => {
  const times = ['2025-03-01T12:00:00Z', '2025-03-01 12:00:00', '2025-03-01T12:00:00'];
  const file = workshop.file({
    experiments: times.map((created_at, index) => experiment(`exp_${index}`, { created_at })),
  });

  const { stdout } = await importing('--from', file, '--source-time-zone', 'America/Sao_Paulo');

  expect(stdout).toContain(
    'Times: 1 with an offset or Z; 1 written by SQLite, read in UTC; 1 without a zone, read in America/Sao_Paulo',
  );
});

test('--json prints one document, also on failure', async () => {
  const good = await importing('--from', workshop.file({ experiments: [experiment('exp_1')] }), '--json');
  const lost = { upgraded: true, sql: `insert into prfaq_metadata (exec_id) values ('batch_1')` };
  const bad = await importing('--from', workshop.file({}, lost), '--json');

  expect([good.code, bad.code]).toEqual([0, 1]);
  expect(JSON.parse(good.stdout)).toMatchObject({ findings: [], failures: [], unknown: [] });
  expect(JSON.parse(bad.stdout)).toMatchObject({ failures: [expect.stringContaining('prfaq_metadata')] });
});

test('the import does not wait for the reader of its output', async () => {
  const sql = `begin; ${manyRows(5_000)}; update synth_outcomes set success_rate = 7; commit`;
  const report = join(workshop.directory, 'long.json');
  const args = ['--from', workshop.file({}, { sql }), '--json', '--report', report];
  const child = spawn(process.execPath, [main, 'import', ...args], {
    env: { PATH: process.env['PATH'], DATABASE_URL: workshop.database.url },
    stdio: ['ignore', 'pipe', 'inherit'],
  });

  await expect.poll(() => existsSync(report)).toBe(true);
  const printed = await text(child.stdout);

  expect(JSON.parse(printed)).toMatchObject({
    failures: [expect.stringContaining('5000 rows were rejected')],
  });
  expect(printed).toBe(readFileSync(report, 'utf8'));
});

test.skipIf(!existsSync('/dev/full'))('a document that can not be printed is an error', async () => {
  const file = workshop.file({ experiments: [experiment('exp_1')] });
  for (const form of ['', '--json']) {
    const line = `'${process.execPath}' '${main}' import --from '${file}' ${form} > /dev/full`;
    const env = { PATH: process.env['PATH'], DATABASE_URL: workshop.database.url };
    const child = spawn('sh', ['-c', line], { env, stdio: ['ignore', 'inherit', 'pipe'] });

    expect(await text(child.stderr)).toMatch(/^synthdb: standard output could not be written: ENOSPC.*\n$/);
    expect(child.exitCode ?? (await once(child, 'exit'))[0]).toBe(5);
  }
});

test('shows progress on a terminal, and restores it when interrupted', async () => {
  const file = workshop.file({}, { sql: `begin; ${manyRows(30_000)}; commit` });
  const command = [process.execPath, main, 'import', '--from', file].map((part) => `'${part}'`).join(' ');
  const terminal = spawn('script', ['-qec', command, '/dev/null'], {
    env: { PATH: process.env['PATH'], TERM: 'xterm', DATABASE_URL: workshop.database.url },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let sent = '';
  terminal.stdout.on('data', (data: Buffer) => {
    const shown = /synth_outcomes .* rows\/s \| ETA \d/;
    const before = shown.test(sent);
    sent += data.toString();
    // As Ctrl-C does.
    if (!before && shown.test(sent)) terminal.stdin.write('\x03');
  });
  await once(terminal, 'close');

  const switchedOff = ['\x1b[?25l', '\x1b[?7l'];
  expect(sent).toContain('^C');
  expect(sent).not.toContain('Every row');
  expect(switchedOff.filter((mode) => sent.includes(mode))).toEqual([]);
});

test('a dry run needs no target database', async () => {
  const file = workshop.file(
    { experiments: [experiment('exp_1', { created_at: '2025-03-01T12:00:00' })] },
    { upgraded: true },
  );
  const args = [
    '--from',
    file,
    '--dry-run',
    '--source-time-zone',
    'UTC',
    '--skip',
    'prfaq_metadata,topic_guides_cache',
    '--skip',
    'research_executions.summary_content',
  ];

  const run = await synthdb(['import', ...args], workshop.directory, {
    DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/none',
  });

  expect(run).toMatchObject({ code: 0, stderr: '' });
  expect(run.stdout).toContain('Every row could be imported.');
});

test.for([
  [['--from', 'sqlite:///output/synthlab.db'], 'give the path of the file'],
  [['--from', ''], '--from is empty'],
  [['--source-time-zone', 'Brasilia'], 'unknown time zone "Brasilia"'],
  [['--report', '/nowhere/report.json'], '/nowhere/report.json'],
  [['--report', '.'], "the report . can't be written: it is not a regular file"],
  [['--allow-rejected', 'some'], 'non-negative integer'],
  [['--skip', 'experiments'], '--skip names experiments'],
] as const)('%j is refused before anything is written', async ([args, says]) => {
  const { code, stderr } = await importing(
    '--from',
    workshop.file({ experiments: [experiment('exp_1')] }),
    ...args,
  );

  expect(code).toBeGreaterThan(0);
  expect(stderr).toContain(says);
  expect(await workshop.rows('select id from experiments')).toEqual([]);
});
