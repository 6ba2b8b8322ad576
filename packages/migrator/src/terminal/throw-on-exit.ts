import type { Command } from 'commander';
import { failurePrefix } from './output.ts';
import { writeTo } from './standard-streams.ts';

/** How a command line shows messages. */
interface MessageForm {
  /** The name of the command line, before failures. */
  readonly name: string;
  readonly formatMessage: (message: string) => string;
}

/**
 * Makes a command and its subcommands throw where commander would exit, and print through `writeTo`. `hint` returns how to get help for
 * a command, by its path such as `synthdb migrate down`. Returns the command.
 */
export function throwOnExit(
  command: Command,
  { name, formatMessage }: MessageForm,
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
