import { Command } from 'commander';

/** Returns the command `synthdb demo`. */
export function demoCommand(): Command {
  return new Command('demo')
    .description('store a sample experiment, the same in every run, and print its rows')
    .option('--json', 'print JSON: { database, stored: [{ what, rows, detail }] }')
    .action(async ({ json = false }: { json?: boolean }) => {
      const { runDemo } = await import('./run.ts');
      await runDemo(json);
    });
}
