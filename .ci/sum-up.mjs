// sum-up.mjs <file>: adds up the steps of a run. Each line of the file is a step's exit status, the path of the report that its
// tests wrote, if any, and its heading. Plain JavaScript, since it has to speak also where nothing could be installed.
import { existsSync, readFileSync } from 'node:fs';

const [, , steps] = process.argv;
const passed = [];
const failed = [];
const leftOut = new Set();

for (const line of readFileSync(steps, 'utf8').trimEnd().split('\n')) {
  const [status, report, heading] = line.split('\t');
  const found = existsSync(report) ? testsOf(JSON.parse(readFileSync(report, 'utf8'))) : [];
  for (const { name, outcome } of found) {
    if (outcome === 'passed') passed.push(name);
    else if (outcome === 'failed') failed.push(`${heading}: ${name}`);
    else leftOut.add(name);
  }
  const allPassed = status === '0';
  if (!allPassed && !found.some(({ outcome }) => outcome === 'failed')) failed.push(heading);
  if (allPassed && found.length === 0) passed.push(heading);
}

// A test may be left out of one run, where another has what it needs. One that no run had a place for was not tested.
for (const name of passed) leftOut.delete(name);
for (const name of leftOut) failed.push(`left out of every run: ${name}`);

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
    // A file that can't be loaded, or whose set-up fails, has no test that does.
    const broken = status === 'failed' && !tests.some(({ outcome }) => outcome === 'failed');
    return broken ? [...tests, { name: `${path}: ${message.split('\n')[0]}`, outcome: 'failed' }] : tests;
  });
}
