import { print, printJson, table } from 'mikro-orm-safe-migrations/cli';
import { Command } from 'commander';
import { definitions } from '../settings/setting-definitions.ts';
import { describeSettings, type SettingDescription } from '../settings/describe-settings.ts';
import { resolveSettings } from '../settings/resolve-settings.ts';

/** Returns the command `synthdb config`. */
export function configCommand(): Command {
  return new Command('config')
    .description('print every setting with its value and source; masks passwords, and connects to nothing')
    .option('--json', 'print JSON: { settings: [{ name, variable, value, source, unit }] }')
    .action(({ json = false }: { json?: boolean }) => {
      const settings = describeSettings(resolveSettings());
      if (json) return printJson({ settings });
      print(table(['setting', 'value', 'source', 'variable'], settings.map(row)));
    });
}

function row({ name, variable, value, source, unit }: SettingDescription): string[] {
  const text = Array.isArray(value) ? value.join('\n') : String(value ?? '');
  const { defaultText = '' } = definitions[name];
  const shown = unit === null ? text : `${text} ${unit}`;
  return [name, text === '' ? `(${defaultText.replaceAll('`', '')})` : shown, source, variable];
}
