import { print, printJson, table } from 'mikro-orm-safe-migrations/cli';
import { stripVTControlCharacters, styleText } from 'node:util';
import { Command } from 'commander';
import { targetOf } from '../database/default-target.ts';
import type { Level } from '../database/doctor/findings.ts';
import { resolveSettings } from '../settings/resolve-settings.ts';

/** Returns the command `synthdb doctor`. */
export function doctorCommand(): Command {
  return new Command('doctor')
    .description(
      'connect as the application does, and report problems; exits with 3 when something needs attention',
    )
    .option('--json', 'print JSON: { database, findings: [{ subject, level, message, facts }] }')
    .action(async ({ json = false }: { json?: boolean }) => {
      const { diagnose } = await import('../database/doctor/diagnose.ts');
      const { connectOptions } = await import('../postgres/orm/connect-options.ts');
      const { connect } = await import('../postgres/orm/connect.ts');
      const settings = resolveSettings();
      const { target } = await targetOf(settings.url);
      const orm = await connect(target, connectOptions(settings));
      try {
        const findings = await diagnose(orm, target, settings);
        if (findings.some(({ level }) => level === 'warning')) process.exitCode = 3;
        if (json) return printJson({ database: target.label, findings });
        print(`PostgreSQL at ${stripVTControlCharacters(target.label)}`);
        print(
          table(
            ['', 'subject', 'finding'],
            findings.map(({ subject, level, message }) => [
              mark(level),
              subject,
              stripVTControlCharacters(message),
            ]),
          ),
        );
      } finally {
        await orm.close(true);
      }
    });
}

function mark(level: Level): string {
  if (level === 'warning') return styleText('red', 'warning');
  return level === 'note' ? styleText('yellow', 'note') : styleText('green', 'fine');
}
