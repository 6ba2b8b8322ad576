import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { ImportFinding } from '../../../src/legacy-import/conversion/import-finding.ts';
import { SourceTimeZone } from '../../../src/legacy-import/conversion/source-time-zone.ts';
import { importLegacy } from '../../../src/legacy-import/import-legacy.ts';
import type { SkippedRow } from '../../../src/legacy-import/skipped-rows.ts';
import { SqliteSource } from '../../../src/legacy-import/source/sqlite-source.ts';
import { LegacyWorkshop } from '../legacy-workshop.ts';
import { accountForRows, type Account } from './account-for-rows.ts';
import { versions } from './schema-version.ts';
import { makeVersionFile } from './version-file.ts';

const zone = 'America/Sao_Paulo';

let workshop: LegacyWorkshop;
beforeAll(async () => void (workshop = await LegacyWorkshop.open()));
beforeEach(() => workshop.empty());
afterAll(() => workshop.close());

async function importFile(path: string): Promise<Account> {
  const findings: ImportFinding[] = [];
  const skipped: SkippedRow[] = [];
  await using source = await SqliteSource.open(path);
  const dry = await importLegacy(source, null, { zone: new SourceTimeZone(zone) });
  const skip = dry.unknown.filter(({ rows }) => rows > 0).map(({ name }) => name);
  const result = await importLegacy(
    source,
    workshop.database,
    { zone: new SourceTimeZone(zone), skip, allowRejected: 99 },
    { onFinding: (finding) => findings.push(finding), onSkipped: (row) => skipped.push(row) },
  );
  return { result, findings, skipped };
}

const cases = versions.flatMap((version, index) => [
  [version, undefined] as const,
  ...versions
    .slice(index + 1)
    .filter((later) => later === '15' || later === versions[index + 1])
    .map((later) => [version, later] as const),
]);

test.each(cases)(
  'every row and document of a file of version %s, upgraded to %s, is accounted for',
  async (version, upgradedTo) => {
    const path = makeVersionFile(join(workshop.directory, `v${version}-${upgradedTo}.db`), version, {
      upgradedTo,
    });

    const account = await importFile(path);

    const file = new DatabaseSync(path, { readOnly: true });
    const seen = await accountForRows(file, workshop.database, account, zone);
    file.close();
    expect(account.result.failures).toEqual([]);
    if (process.env['LEGACY_TABLE'])
      console.log([version, upgradedTo ?? '', ...Object.values(seen)].join(' | '));
  },
);
