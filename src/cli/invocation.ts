// How the command was called, so that messages name what the caller can type. The Makefile says it in SYNTHDB_INVOKED_BY: "make",
// the target, and the variables given to it, whose values are in SYNTHDB_MAKE_<variable>.

const switches = ['all', 'allow-out-of-order', 'exit-code', 'json'];
const valued = ['confirm', 'from', 'lock-wait', 'steps', 'to'];
// What stands in double quotes is a value, and not ours.
const options = new RegExp(`"[^"]*"|--(${[...switches, ...valued].join('|')})\\b(?: (?=<))?`, 'g');

// As in `synthdb migrate up`, or `migrate up`.
const commands = /(?:\bsynthdb )?(?<!-)\bmigrate (up|down|redo|status|plan|check|create|baseline)\b/g;

/** Returns a message with each option as the caller passes it: `--lock-wait`, or `lock_wait=` to make. */
export function inCallersTerms(message: string): string {
  if (calledByMake() === null) return message;
  return message
    .replaceAll(commands, 'make migrate-$1')
    .replaceAll(options, (found, option: string | undefined) =>
      option === undefined ? found : `${option.replaceAll('-', '_')}=${switches.includes(option) ? '1' : ''}`,
    );
}

/** Returns the command as it was typed, with `--confirm name` added: text to paste into a shell. */
export function confirmedCommand(name: string): string {
  const make = calledByMake();
  if (make === null) return ['synthdb', ...process.argv.slice(2), '--confirm', name].map(quoted).join(' ');
  const given = make.variables
    .filter((variable) => variable !== 'confirm')
    .map((variable) => [variable, process.env[`SYNTHDB_MAKE_${variable}`] ?? '']);
  return [
    `make ${make.target}`,
    ...[...given, ['confirm', name]].map(([variable, value = '']) => `${variable}=${quoted(value)}`),
  ].join(' ');
}

/** Returns where the usage of the command at `path`, such as `synthdb migrate down`, is described. */
export function helpHint(path: string): string {
  return calledByMake() === null
    ? `(\`${path} --help\` describes it)`
    : '(`make help` lists what each target takes)';
}

function calledByMake(): { readonly target: string; readonly variables: readonly string[] } | null {
  const [by, target, ...variables] = process.env['SYNTHDB_INVOKED_BY']?.split(' ') ?? [];
  return by === 'make' && target ? { target, variables: variables.filter(Boolean) } : null;
}

function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
