import type { Command } from 'commander';
import type { CommandHost } from './host.ts';
import { failurePrefix } from '../terminal/output.ts';
import { writeTo } from '../terminal/standard-streams.ts';

/**
 * Makes a command and its subcommands throw where commander would exit, and print through `writeTo`. `hint` returns how to get help for
 * a command, by its path such as `synthdb migrate down`. Returns the command.
 */
export function throwOnExit(
  command: Command,
  { name, formatMessage }: Pick<CommandHost, 'name' | 'formatMessage'>,
  hint: (path: string) => string = (path) => `(\`${path} --help\` describes it)`,
  path = command.name(),
): Command {
  command
    .exitOverride()
    .showHelpAfterError(hint(path))
    .configureOutput({
      writeOut: (text) => void writeTo(1, text),
      writeErr: (text) => void writeTo(2, text),
      outputError: (text, write) => write(formatMessage(text.replace(/^error:/, failurePrefix(name)))),
    });
  for (const sub of command.commands)
    throwOnExit(sub, { name, formatMessage }, hint, `${path} ${sub.name()}`);
  return command;
}
