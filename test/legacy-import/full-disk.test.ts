import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { UnavailableError } from '../../src/errors.ts';
import { LegacyWorkshop } from './legacy-workshop.ts';
import { manyRows } from './many-rows.ts';

let workshop: LegacyWorkshop;
beforeAll(async () => void (workshop = await LegacyWorkshop.open()));
afterAll(() => workshop.close());

// To fill a disk takes one of one's own, which the server sees as well.
const isRoot = process.getuid?.() === 0 && process.platform === 'linux';

test.runIf(isRoot)(
  'a full disk of the target throws UnavailableError, and the import resumes when there is space',
  async (context) => {
    const file = workshop.file({}, { sql: `begin; ${manyRows(20_000)}; commit` });
    const disk = join(workshop.directory, 'disk');
    const tablespace = `small_${workshop.database.target.parts.database}`;
    mkdirSync(disk);
    if (!(await mounted(disk, tablespace))) context.skip('the server can not be given a disk of our own');
    try {
      await workshop.rows(`alter table synth_outcomes set tablespace ${tablespace}`);

      await expect(workshop.import(file)).rejects.toThrow(UnavailableError);

      const [{ count = 0 } = {}]: { count?: number }[] = await workshop.database.orm.em.execute(
        'select count(*)::int as count from synth_outcomes',
      );
      expect(count).toBeGreaterThan(0);
      await workshop.rows('alter table synth_outcomes set tablespace pg_default');
      const { result, table } = await workshop.import(file);
      expect(result.failures).toEqual([]);
      expect(table('synth_outcomes')).toMatchObject({ found: count, written: 20_000 - count });
    } finally {
      await workshop.rows('alter table synth_outcomes set tablespace pg_default');
      await workshop.rows(`drop tablespace ${tablespace}`);
      execFileSync('umount', [disk]);
    }
  },
);

/** Whether there is a tablespace of 8 MB now. */
async function mounted(disk: string, tablespace: string): Promise<boolean> {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m,mode=777', 'disk', disk], { stdio: 'ignore' });
  } catch {
    return false;
  }
  try {
    // The server's user has to own it, and to get there.
    const [{ directory = '' } = {}]: { directory?: string }[] = await workshop.database.orm.em.execute(
      `select current_setting('data_directory') as directory`,
    );
    execFileSync('chown', ['--reference', directory, disk], { stdio: 'ignore' });
    execFileSync('chmod', ['755', workshop.directory]);
    await workshop.rows(`create tablespace ${tablespace} location '${disk}'`);
    return true;
  } catch {
    execFileSync('umount', [disk]);
    return false;
  }
}
