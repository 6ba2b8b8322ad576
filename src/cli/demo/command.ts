import { Command } from 'commander';

/** `synthdb demo` */
export function demo(): Command {
  return new Command('demo')
    .description('store a realistic experiment, the same at every run, and print what was stored')
    .option('--json', 'print { database, stored: [{ what, rows, detail }] } for programs')
    .action(async ({ json = false }: { json?: boolean }) => {
      const { runDemo } = await import('./run.ts');
      await runDemo(json);
    });
}
