#!/usr/bin/env node
import { enableCompileCache } from 'node:module';

// Compiling the ORM takes half of the time of a short command that uses it. The cache applies to modules that are loaded afterwards.
enableCompileCache();
const { createProgram } = await import('./program.ts');
const { exitOnTermination, reportLostOutput } = await import('mikro-orm-safe-migrations/cli');
const { reportFailure } = await import('./report-failure.ts');

exitOnTermination();
try {
  await createProgram().parseAsync();
} catch (error) {
  process.exitCode = await reportFailure(error);
}
process.exitCode = await reportLostOutput('synthdb', process.exitCode);
