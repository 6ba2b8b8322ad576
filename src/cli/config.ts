import { Command } from 'commander';
import { say, sayJson, table } from 'mikro-orm-safe-migrations/cli';
import { definitions } from '../settings/setting-definitions.ts';
import { describeSettings, type SettingDescription } from '../settings/describe-settings.ts';
import { resolveSettings } from '../settings/resolve-settings.ts';

/** `synthdb config` */
export function config(): Command {
  return new Command('config')
    .description(
      'print every setting, its value and who says so; passwords are masked, nothing is connected to',
    )
    .option('--json', 'print { settings: [{ name, variable, value, source, unit }] } as JSON')
    .action(({ json = false }: { json?: boolean }) => {
      const settings = describeSettings(resolveSettings());
      if (json) return sayJson({ settings });
      say(table(['setting', 'value', 'from', 'set it by'], settings.map(row)));
    });
}

function row({ name, variable, value, source, unit }: SettingDescription): string[] {
  const text = Array.isArray(value) ? value.join('\n') : String(value ?? '');
  const { defaultText = '' } = definitions[name];
  const shown = unit === null ? text : `${text} ${unit}`;
  return [name, text === '' ? `(${defaultText.replaceAll('`', '')})` : shown, source, variable];
}
