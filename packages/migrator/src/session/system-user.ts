import { userInfo } from 'node:os';

/** Returns the name of this process's operating-system user, or `uid 12345` for an id without a name, as containers often have. */
export function systemUser(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}
