// Prints how many tests passed and how many failed in the reports of a directory: `node .ci/sum-reports.mjs DIRECTORY`.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

let [passed, failed] = [0, 0];
for (const file of readdirSync(process.argv[2])) {
  const report = JSON.parse(readFileSync(join(process.argv[2], file), 'utf8'));
  passed += report.numPassedTests;
  // A file that could not be loaded has no tests to count.
  failed +=
    report.numFailedTests +
    report.testResults.filter((one) => one.status === 'failed' && one.assertionResults.length === 0).length;
}
console.log(passed, failed);
