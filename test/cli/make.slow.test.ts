import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createProgram } from '../../src/cli/program.ts';
import { connect } from '../../src/postgres/orm/connect.ts';
import { parseDatabaseUrl } from '../../src/settings/database-url.ts';
import { migrationChain } from '../schema/migration-chain.ts';
import { Checkout } from './checkout.ts';
import { addExperiment } from './experiment.ts';
import type { Run } from './run.ts';
import { hasTerminals } from './terminal.ts';

const [initial = '', checks = '', tree = ''] = migrationChain;

let checkout: Checkout;
let url: string;
beforeAll(async () => {
  checkout = await Checkout.create();
  url = (await checkout.server()).url;
});
afterAll(() => checkout.remove());

/** Sends a statement to a database of the checkout's server. */
async function send<T extends object>(sql: string, database = 'synthlab'): Promise<T[]> {
  const orm = await connect(parseDatabaseUrl(url, 'url').withDatabase(database));
  try {
    return await orm.em.execute<T[]>(sql);
  } finally {
    await orm.close(true);
  }
}

async function fill(database: string): Promise<void> {
  const orm = await connect(parseDatabaseUrl(url, 'url').withDatabase(database));
  await addExperiment({ orm });
  await orm.close(true);
}

function refusal(command: string): object {
  return {
    code: 2,
    stdout: '',
    stderr: expect.stringMatching(
      new RegExp(`; to confirm, run: ${command.replaceAll('$', String.raw`\$`)}\n`),
    ),
  };
}

// The embedded database, the one that docker-compose.yml makes, and one that is not for development.
describe.each([
  { kind: 'the embedded database', database: 'synthlab', named: false, forDevelopment: true },
  { kind: 'the database of docker-compose.yml', database: 'synthlab', named: true, forDevelopment: true },
  { kind: 'a database in production', database: 'shop', named: true, forDevelopment: false },
])('make, on $kind', ({ database, named, forDevelopment }) => {
  let environment: Record<string, string>;
  beforeAll(async () => {
    if (database !== 'synthlab') await send(`create database ${database}`);
    const target = new URL(url);
    target.pathname = database;
    environment = named ? { DATABASE_URL: target.href } : {};
  });
  // The next one begins with nothing.
  afterAll(() => make('migrate-down', 'all=1', `confirm=${database}`));

  const make = (...args: string[]): Promise<Run> => checkout.makeServed(args, environment);
  const confirm = `confirm=${database}`;
  // Where nothing is lost.
  const asNeeded = forDevelopment ? [] : [confirm];
  const planned = async (...args: string[]): Promise<string[]> => {
    const { stdout } = await make('migrate-plan', 'json=1', ...args);
    const plan: { name: string }[] = JSON.parse(stdout);
    return plan.map(({ name }) => name);
  };
  const applied = async (): Promise<string[]> => {
    const { stdout } = await make('migrate-status', 'json=1');
    const { migrations }: { migrations: { name: string; condition: string }[] } = JSON.parse(stdout);
    return migrations.filter(({ condition }) => condition === 'applied').map(({ name }) => name);
  };

  // One after the other.
  test('migrate-up takes to= and json=1, and prints nothing but JSON', async () => {
    const { code, stdout, stderr } = await make('-s', 'migrate-up', `to=${tree}`, 'json=1', 'lock_wait=5');

    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({ applied: [initial, checks, tree].map((name) => ({ name })) });
  });

  test('migrate-status takes json=1 and exit_code=1', async () => {
    expect(await applied()).toEqual([initial, checks, tree]);
    expect(await make('migrate-status')).toMatchObject({ code: 0, stdout: expect.stringContaining(tree) });
    expect(await make('migrate-status', 'exit_code=1')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('Error 3'),
    });
  });

  test('migrate-history takes limit= and json=1', async () => {
    const { stdout } = await make('migrate-history', 'limit=1', 'json=1');

    expect(JSON.parse(stdout)).toMatchObject({ history: [{ name: tree, action: 'up' }] });
  });

  test('migrate-repair takes action=, name= and reason=, and its words are not code for the shell', async () => {
    const reason = "it's $(false) by hand";
    const repaired = await make(
      'migrate-repair',
      'action=reverted',
      `name=${tree}`,
      `reason=${reason}`,
      ...asNeeded,
    );
    expect(repaired).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('is recorded as not applied'),
    });
    expect(await applied()).toEqual([initial, checks]);

    expect(
      await make('migrate-repair', 'action=applied', `name=${tree}`, 'reason=it is there', ...asNeeded),
    ).toMatchObject({ code: 0 });

    expect(await applied()).toEqual([initial, checks, tree]);
    const { stdout } = await make('migrate-history', 'limit=2', 'json=1');
    expect(JSON.parse(stdout).history[1]).toMatchObject({ note: expect.stringContaining(reason) });
  });

  test('migrate-plan takes direction=, to=, steps=, all=1, from= and json=1', async () => {
    expect(await planned()).toEqual(migrationChain.slice(3));
    expect(await planned('direction=down', 'steps=2')).toEqual([tree, checks]);
    expect(await planned('direction=down', `to=${initial}`)).toEqual([tree, checks]);
    expect(await planned('direction=down', 'all=1')).toEqual([tree, checks, initial]);
    expect(await planned('from=none', `to=${checks}`)).toEqual([initial, checks]);
  });

  test('migrate-down takes steps=, to= and json=1, and requires confirmation outside development', async () => {
    const unasked = await make('migrate-down', 'steps=1', 'json=1');
    const down = forDevelopment ? unasked : await make('migrate-down', 'steps=1', 'json=1', confirm);
    const further = await make('migrate-down', `to=${initial}`, ...asNeeded);

    expect(unasked).toMatchObject(
      forDevelopment ? { code: 0 } : refusal(`make migrate-down steps=1 json=1 ${confirm}`),
    );
    expect(JSON.parse(down.stdout)).toMatchObject({ reverted: [{ name: tree }] });
    expect(further).toMatchObject({ code: 0, stdout: expect.stringContaining(`reverted ${checks}`) });
    expect(await applied()).toEqual([initial]);
  });

  test('migrate-down requires confirmation when rows would be lost, and refuses a wrong name', async () => {
    await make('migrate-up', `to=${checks}`);
    await fill(database);
    // Only constraints go.
    expect(await make('migrate-down', ...asNeeded)).toMatchObject({ code: 0 });

    expect(await make('migrate-down')).toMatchObject(refusal(`make migrate-down ${confirm}`));
    expect(await make('migrate-down', 'all=1')).toMatchObject(refusal(`make migrate-down all=1 ${confirm}`));
    expect(await make('migrate-redo')).toMatchObject(refusal(`make migrate-redo ${confirm}`));
    expect(await make('migrate-redo', 'confirm=lab')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('"lab" is not the name of'),
    });
    expect(await send('select id from experiments', database)).toHaveLength(1);
  });

  test.skipIf(!hasTerminals).each([
    ['migrate-down', 'lab\n'],
    ['migrate-redo', '\u0003'],
  ])('%s asks a terminal; %j changes nothing', async (target, keys) => {
    const seen = await checkout.makeOnTerminal([target], environment, keys);

    expect(seen.code).toBe(2);
    expect(seen.sent).toContain(
      forDevelopment ? 'would lose data of experiments. Type' : 'is not a development database. Type',
    );
    expect(seen.sent).toContain(`Type "${database}" to confirm: `);
    expect(await send('select id from experiments', database)).toHaveLength(1);
  });

  test.skipIf(!hasTerminals)('migrate-redo runs after the name is typed', async () => {
    const seen = await checkout.makeOnTerminal(['migrate-redo'], environment, `${database}\n`);

    expect(seen).toEqual({ code: 0, sent: expect.stringContaining(`applied ${initial}`) });
    expect(await send('select id from experiments', database)).toEqual([]);
  });

  test('migrate-redo and migrate-down take confirm= and json=1', async () => {
    await fill(database);

    const redone = await make('-s', 'migrate-redo', confirm, 'json=1');
    await fill(database);
    const down = await make('-s', 'migrate-down', 'all=1', confirm, 'json=1');

    expect(JSON.parse(redone.stdout)).toMatchObject({ runs: [{ direction: 'down' }, { direction: 'up' }] });
    expect(JSON.parse(down.stdout)).toMatchObject({ reverted: [{ name: initial }] });
    expect(await applied()).toEqual([]);
  });
});

/** Runs `synthdb` in this process. */
function synthdb(args: string[]): Promise<unknown> {
  return createProgram().parseAsync(args, { from: 'user' });
}

describe('a value is passed to the command unchanged', () => {
  let echoing: Checkout;
  beforeAll(async () => {
    echoing = await Checkout.createEchoing();
    vi.stubEnv('DATABASE_URL', url);
  });
  afterAll(async () => {
    vi.unstubAllEnvs();
    await echoing.remove();
  });

  /** Returns the arguments that `make` gives to `synthdb`. */
  const argumentsOf = async (...args: string[]): Promise<string[]> => {
    const { code, stdout, stderr } = await echoing.make(args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    return JSON.parse(stdout);
  };

  test.each([
    'two words',
    `o'clock "twice"`,
    '$HOME $$HOME ${HOME} $(HOME)',
    '$(shell touch made)',
    '`touch made`; touch made & touch made | touch made > made',
    "'; touch made; '",
    '#no comment',
    '--all',
    '-x',
    '*',
    'über, 数',
    String.raw`back\slash\ `,
  ])('%s', async (value) => {
    const [down, plan] = await Promise.all([
      argumentsOf('migrate-down', `confirm=${value}`),
      argumentsOf('migrate-plan', `to=${value}`, 'from=none'),
    ]);

    expect(down).toEqual(['migrate', 'down', `--confirm=${value}`]);
    await expect(synthdb([...down, '--json'])).rejects.toThrow(`"${value}" is not the name of`);
    expect(plan).toEqual(['migrate', 'plan', `--to=${value}`, '--from=none']);
    await expect(synthdb(plan)).rejects.toThrow(`there is no migration ${JSON.stringify(value)}`);
    expect(existsSync(join(echoing.directory, 'made'))).toBe(false);
  });

  test('is quoted in the command of a message', async () => {
    const database = `it's $HOME`;
    await send(`create database "${database}"`);
    const target = new URL(url);
    target.pathname = encodeURIComponent(database);

    const environment = { DATABASE_URL: target.href };
    const { stderr } = await checkout.makeServed(['migrate-down'], environment);
    const [, command = ''] = /; to confirm, run: make (.*)\n/.exec(stderr) ?? [];

    expect(command).toBe(String.raw`migrate-down confirm='it'\''s $HOME'`);
    expect(await checkout.makeServed(['migrate-down', `confirm=${database}`], environment)).toMatchObject({
      code: 0,
    });
  });
});

test('ignores variables of the environment', async () => {
  const environment = { to: initial, steps: '2', all: '1', json: '1', name: 'x', stpes: '1' };

  expect(await checkout.make(['migrate-status'], environment)).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('PostgreSQL at '),
  });
});

test('passes a setting in capitals to the environment', async () => {
  const { stdout } = await checkout.make(['migrate-status', `DATABASE_URL=${url}`]);

  expect(stdout).toContain('(from DATABASE_URL)');
});

test('db-reset requires the name of the embedded database', async () => {
  expect(await checkout.make(['db-reset'])).toMatchObject(refusal('make db-reset confirm=synthlab'));
  expect(await checkout.make(['db-reset', 'confirm=synthlab'])).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('Created, '),
  });
});
