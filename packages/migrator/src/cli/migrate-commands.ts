import type { Command } from 'commander';
import { baselineCommand } from './baseline.ts';
import { checkCommand } from './check.ts';
import { createCommand } from './create.ts';
import { downCommand } from './down.ts';
import type { CommandHost, DatabaseLocation } from './host.ts';
import { planCommand } from './plan.ts';
import { redoCommand } from './redo.ts';
import { historyCommand } from './history.ts';
import { repairCommand } from './repair.ts';
import { squashCommand } from './squash.ts';
import { statusCommand } from './status.ts';
import { upCommand } from './up.ts';
import { verifyCommand } from './verify.ts';

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
    verifyCommand(host),
    baselineCommand(host),
    squashCommand(host),
    historyCommand(host),
    repairCommand(host),
  ];
}
