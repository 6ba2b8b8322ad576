import type { Command } from 'commander';
import type { CommandHost } from './host.ts';
import { failurePrefix } from '../terminal/output.ts';
import { writeTo } from '../terminal/standard-streams.ts';

/**
 * Makes a command and those below it throw where commander would end the process with 1, and print by way of `writeTo`. `hint` returns
 * where a command is described, by its path such as `synthdb migrate down`. Returns the command.
 */
export function throwing(
  command: Command,
  { name, inCallersTerms }: Pick<CommandHost, 'name' | 'inCallersTerms'>,
  hint: (path: string) => string = (path) => `(\`${path} --help\` describes it)`,
  path = command.name(),
): Command {
  command
    .exitOverride()
    .showHelpAfterError(hint(path))
    .configureOutput({
      writeOut: (text) => void writeTo(1, text),
      writeErr: (text) => void writeTo(2, text),
      outputError: (text, write) => write(inCallersTerms(text.replace(/^error:/, failurePrefix(name)))),
    });
  for (const sub of command.commands) throwing(sub, { name, inCallersTerms }, hint, `${path} ${sub.name()}`);
  return command;
}
