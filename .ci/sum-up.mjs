// sum-up.mjs <file>: adds up the steps of a run. Each line of the file has a step's exit status, the path of its test report, if any, and
// its heading. Plain JavaScript, because it must also run if the installation failed.
import { existsSync, readFileSync } from 'node:fs';

const [, , steps] = process.argv;
const passed = [];
const failed = [];
const skipped = new Set();

for (const line of readFileSync(steps, 'utf8').trimEnd().split('\n')) {
  const [status, report, heading] = line.split('\t');
  const found = existsSync(report) ? testsOf(JSON.parse(readFileSync(report, 'utf8'))) : [];
  for (const { name, outcome } of found) {
    if (outcome === 'passed') passed.push(name);
    else if (outcome === 'failed') failed.push(`${heading}: ${name}`);
    else skipped.add(name);
  }
  const allPassed = status === '0';
  if (!allPassed && !found.some(({ outcome }) => outcome === 'failed')) failed.push(heading);
  if (allPassed && found.length === 0) passed.push(heading);
}

// A test may be skipped in one run if another run executes it. A test that every run skipped counts as failed.
for (const name of passed) skipped.delete(name);
for (const name of skipped) failed.push(`skipped in every run: ${name}`);

for (const name of failed) console.log(`failed: ${name}`);
console.log(`${passed.length} passed, ${failed.length} failed`);
process.exitCode = failed.length > 0 ? 1 : 0;

function testsOf({ testResults }) {
  return testResults.flatMap(({ name: file, status, message, assertionResults }) => {
    const path = file.replace(`${process.cwd()}/`, '');
    const tests = assertionResults.map(({ fullName, status: outcome }) => ({
      name: `${path}: ${fullName}`,
      outcome,
    }));
    // If a file can't be loaded, or its set-up fails, no test of it is reported as failed.
    const broken = status === 'failed' && !tests.some(({ outcome }) => outcome === 'failed');
    return broken ? [...tests, { name: `${path}: ${message.split('\n')[0]}`, outcome: 'failed' }] : tests;
  });
}
