import { createInterface } from 'node:readline';
import { Migrator, MigratorError } from 'mikro-orm-safe-migrations';
import { accountsOrm } from './accounts.ts';
import type { Answer, Orders } from './runner-process.ts';

// A process of its own that migrates the small project: says that it is ready, then carries out each line that it is given, and says
// what became of it.
console.log('{"ready":true}');
for await (const line of createInterface(process.stdin)) {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by RunnerProcess
  const orders = JSON.parse(line) as Orders;
  console.log(JSON.stringify(await carryOut(orders)));
}

async function carryOut({ url, direction = 'up', by = 'ours', options }: Orders): Promise<Answer> {
  const orm = accountsOrm(url);
  try {
    if (by === 'orm') return { done: (await orm.migrator.up()).map(({ name }) => name) };
    const migrator = new Migrator(orm, options);
    const done = await (direction === 'up' ? migrator.up() : migrator.down({ all: true }));
    return { done: done.map(({ name }) => name) };
  } catch (error) {
    const code = error instanceof MigratorError ? error.code : 'unknown';
    return { done: [], code, message: String(error) };
  } finally {
    await orm.close(true);
  }
}
