// Describes how the command was invoked, so that messages name what the caller can type. The Makefile sets SYNTHDB_INVOKED_BY to "make",
// the target and the names of its variables, whose values are in SYNTHDB_MAKE_<variable>.

const switches = ['all', 'allow-ahead', 'allow-out-of-order', 'exit-code', 'json', 'refuse-drift'];
const valued = [
  'confirm',
  'contract',
  'drop',
  'from',
  'limit',
  'lock-wait',
  'lossy',
  'reason',
  'rename-column',
  'rename',
  'steps',
  'to',
];
// Messages name these with a value that can be typed.
const withValue = '(?<=--(?:contract|drop|lossy|rename|rename-column)) ';
// Text in double quotes is a value, not an option.
const options = new RegExp(
  `"[^"]*"|--(${[...switches, ...valued].join('|')})\\b(?: (?=<)|${withValue})?`,
  'g',
);

// Matches `synthdb migrate up` and `migrate up`.
const commands =
  /(?:\bsynthdb )?(?<!-)\bmigrate (up|down|redo|status|plan|check|create|squash|baseline|history)\b/g;

/** Returns a message with commands and options as the caller types them: `--lock-wait`, or `lock_wait=` with make. */
export function toInvocationTerms(message: string): string {
  if (makeInvocation() === null) return message;
  return message
    .replaceAll(commands, 'make migrate-$1')
    .replaceAll('make migrate-create NAME', 'make migrate-create name=NAME')
    .replaceAll(options, (found, option: string | undefined) =>
      option === undefined ? found : `${option.replaceAll('-', '_')}=${switches.includes(option) ? '1' : ''}`,
    );
}

/** Returns the command line with `--confirm name` added, quoted for a shell. */
export function commandWithConfirmation(name: string): string {
  const make = makeInvocation();
  if (make === null)
    return ['synthdb', ...process.argv.slice(2), '--confirm', name].map(shellQuote).join(' ');
  const given = make.variables
    .filter((variable) => variable !== 'confirm')
    .map((variable) => [variable, process.env[`SYNTHDB_MAKE_${variable}`] ?? '']);
  return [
    `make ${make.target}`,
    ...[...given, ['confirm', name]].map(([variable, value = '']) => `${variable}=${shellQuote(value)}`),
  ].join(' ');
}

/** Returns a hint on how to get help for the command at `path`, such as `synthdb migrate down`. */
export function helpHint(path: string): string {
  return makeInvocation() === null
    ? `(for help, run \`${path} --help\`)`
    : '(for the variables of each target, run `make help`)';
}

function makeInvocation(): { readonly target: string; readonly variables: readonly string[] } | null {
  const [by, target, ...variables] = process.env['SYNTHDB_INVOKED_BY']?.split(' ') ?? [];
  return by === 'make' && target ? { target, variables: variables.filter(Boolean) } : null;
}

function shellQuote(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
