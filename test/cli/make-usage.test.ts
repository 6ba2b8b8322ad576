import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { migrationChain } from '../schema/migration-chain.ts';
import { Checkout } from './checkout.ts';

const [initial = ''] = migrationChain;

let checkout: Checkout;
beforeAll(async () => void (checkout = await Checkout.create()));
afterAll(() => checkout.remove());

describe('make refuses before anything is run', () => {
  test.each([
    [['migrate-up', 'steps=2'], 'unknown variable steps= for make migrate-up; expected: to= '],
    [['migrate-up', 'all=1'], 'unknown variable all= for make migrate-up'],
    [['migrate-up', 'confirm=synthlab'], 'unknown variable confirm= for make migrate-up'],
    [
      ['migrate-down', 'stpes=2'],
      'unknown variable stpes= for make migrate-down; expected: to= steps= all=1 optional= confirm= ',
    ],
    [['migrate-redo', 'steps=2'], 'unknown variable steps= for make migrate-redo'],
    [['migrate-status', 'to=x'], 'unknown variable to= for make migrate-status'],
    [['migrate-plan', 'confirm=x'], 'unknown variable confirm= for make migrate-plan'],
    [['db-reset', 'yes=1'], 'unknown variable yes= for make db-reset; expected: confirm='],
    [['db-stop', 'json=1'], 'unknown variable json= for make db-stop'],
    [['migrate-down', 'all=yes'], 'all=yes is invalid; use all=1'],
    [['migrate-down', 'all=0'], 'all=0 is invalid'],
    [['migrate-down', 'all=1 1'], 'all=1 1 is invalid'],
    [['migrate-status', 'json=true'], 'json=true is invalid'],
    [['migrate-down', 'STEPS=2'], 'STEPS= would be ignored; write variables in lower case'],
    [['migrate-up', 'TO=x', 'JSON=1'], 'TO= JSON= would be ignored; write variables in lower case'],
    [['migrate-down', 'to='], 'to= is empty'],
    [['migrate-down', 'steps= '], 'steps= is empty'],
    [['migrate-down', 'to=$(shell touch made)', 'steps=x'], "option 'steps=<n>' argument 'x' is invalid"],
    [['migrate-down', 'steps=0'], "option 'steps=<n>' argument '0' is invalid"],
    [['migrate-down', 'steps=1', 'all=1'], "option 'steps=<n>' cannot be used with option 'all=1'"],
    [['migrate-down', `to=${initial}`, 'all=1'], "option 'to=<name>' cannot be used with option 'all=1'"],
    [['migrate-plan', 'steps=1'], 'steps= and all=1 belong to plan down'],
    [['migrate-plan', 'direction=back'], `argument 'direction'. Allowed choices are up, down`],
    [['migrate-up', 'lock_wait=long'], "option 'lock_wait=<seconds>' argument 'long' is invalid"],
    [['migrate-create'], 'name= is missing; for example make migrate-create name=add_tags'],
    [['migrate-repair', 'name=x'], 'action= is missing; for example make migrate-repair action=accept'],
    [
      ['migrate-repair', 'action=accept'],
      'name= is missing; for example make migrate-repair name=MigrationX',
    ],
  ])('%j', async (args, says) => {
    // Nobody listens there.
    const environment = { DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/none' };

    const { code, stdout, stderr } = await checkout.makeServed(args, environment);

    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(says);
  });
});

test('help lists what each target takes', async () => {
  const { stdout } = await checkout.make(['help']);

  expect(stdout).toMatch(
    /make migrate-down +revert .*\n +\[to= steps= all=1 optional= confirm= lock_wait= json=1\]\n/,
  );
});

test('slow files are left out by test, unless files are named, and not by test-all', async () => {
  const [quick, named, all] = await Promise.all(
    [['test'], ['test', 'only=test/a'], ['test-all']].map((args) => checkout.make(['-n', ...args])),
  );

  expect(quick?.stdout).toBe("vitest run --exclude='**/*.slow.test.ts'\n");
  expect(named?.stdout).toBe('vitest run $SYNTHDB_MAKE_only\n');
  expect(all?.stdout).toBe('vitest run\n');
});
