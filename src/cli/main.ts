#!/usr/bin/env node
import { enableCompileCache } from 'node:module';

// Compiling the ORM is half of what a short command takes. It only helps with what is loaded afterwards, and is there already when
// the environment names a place for it.
enableCompileCache();
const { program } = await import('./program.ts');
const { reportLostOutput } = await import('mikro-orm-safe-migrations/cli');
const { reportFailure } = await import('./report-failure.ts');

try {
  await program().parseAsync();
} catch (error) {
  process.exitCode = reportFailure(error);
}
process.exitCode = await reportLostOutput('synthdb', process.exitCode);
