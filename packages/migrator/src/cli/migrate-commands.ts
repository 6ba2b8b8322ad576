import type { Command } from 'commander';
import { baselineCommand } from './commands/baseline.ts';
import { checkCommand } from './commands/check.ts';
import { createCommand } from './commands/create.ts';
import { downCommand } from './commands/down.ts';
import type { CommandHost, DatabaseLocation } from './host/host.ts';
import { lintCommand } from './commands/lint.ts';
import { planCommand } from './commands/plan.ts';
import { purgeCommand } from './commands/purge.ts';
import { redoCommand } from './commands/redo.ts';
import { historyCommand } from './commands/history.ts';
import { repairCommand } from './commands/repair.ts';
import { squashCommand } from './commands/squash.ts';
import { statusCommand } from './commands/status.ts';
import { upCommand } from './commands/up.ts';
import { verifyCommand } from './commands/verify.ts';

/** Returns every command of the migrator, for a command line that mounts them. */
export function migrateCommands<P extends DatabaseLocation>(host: CommandHost<P>): Command[] {
  return [
    upCommand(host),
    downCommand(host),
    redoCommand(host),
    statusCommand(host),
    planCommand(host),
    createCommand(host),
    checkCommand(host),
    lintCommand(host),
    verifyCommand(host),
    baselineCommand(host),
    squashCommand(host),
    historyCommand(host),
    repairCommand(host),
    purgeCommand(host),
  ];
}
