import { Presets, SingleBar } from 'cli-progress';

/**
 * Creates a progress bar on standard error, which is invisible unless that is a terminal. `format` is cli-progress's; `others` is the width
 * of the text beside the bar in columns.
 */
export function progressBar(format: string, others: number): SingleBar {
  return new SingleBar(
    {
      format,
      // Shrinks the bar first: what does not fit is cut off, which would be the remaining time.
      barsize: Math.min(40, Math.max(5, (process.stderr.columns || 80) - others)),
      clearOnComplete: true,
      // An interrupted command would leave the cursor hidden.
      hideCursor: false,
      linewrap: true,
    },
    Presets.shades_classic,
  );
}
