import { Presets, SingleBar } from 'cli-progress';

/**
 * A bar on standard error, to be started, where that is a terminal; nothing elsewhere. `format` is cli-progress's, `others` how many
 * columns it takes beside the bar.
 */
export function progressBar(format: string, others: number): SingleBar {
  return new SingleBar(
    {
      format,
      // What would not fit on the line is cut off, and that is the time left.
      barsize: Math.min(40, Math.max(5, (process.stderr.columns || 80) - others)),
      clearOnComplete: true,
      // Else a terminal would stay without what is switched off when the command is interrupted.
      hideCursor: false,
      linewrap: true,
    },
    Presets.shades_classic,
  );
}
