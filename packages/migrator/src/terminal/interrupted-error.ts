/** The user interrupted a prompt (Ctrl-C). Nothing was changed. */
export class InterruptedError extends Error {}
