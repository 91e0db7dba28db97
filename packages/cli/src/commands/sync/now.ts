/** `spec-kitty sync now`: sends everything that waits, and says what became of it. */
import { resolve } from 'node:path';

import * as Flags from '@oclif/core/flags';
import type { SyncProgress, SyncReport } from '@spec-kitty/events-sdk';

import { type CommandOutcome, SpecKittyCommand } from '../../command.ts';
import type { Invocation } from '../../invocation.ts';
import { refuseTaken, writeNewFile } from '../../new-file.ts';
import { progressBar, progressLine } from '../../render/progress.ts';
import { renderSyncReport, syncExitCode, syncReportDocument, syncReportFile } from '../../render/sync-report.ts';

export default class SyncNow extends SpecKittyCommand {
  static override summary = 'Send the waiting events now.';
  static override description =
    'Works whatever else runs. Exit codes: 0 everything delivered or nothing to do, 1 events rejected or the server refuses, ' +
    '3 not delivered yet (unreachable, pending, busy), 4 not signed in, 130 interrupted.';
  static override examples = [
    { description: 'Send', command: '<%= config.bin %> sync now' },
    { description: 'Send from a script and read the verdicts', command: '<%= config.bin %> sync now --json' },
    {
      description: 'Keep a report of what was refused, and why',
      command: '<%= config.bin %> sync now --report sync.json',
    },
  ];
  static override flags = {
    report: Flags.string({
      description: 'Also write what became of the events to a new file, as JSON.',
      helpValue: 'FILE',
    }),
  };

  protected async work(): Promise<CommandOutcome> {
    const { flags } = await this.parse(SyncNow);
    const session = this.session();
    const file = flags.report === undefined ? undefined : resolve(session.cwd(), flags.report);
    if (file !== undefined) refuseTaken(file, '--report');
    const client = await session.client();
    const progress = showProgress(this.invocation());
    const report = await client.syncNow({ signal: session.signal, onProgress: progress.show });
    progress.end();
    const isKept = file === undefined || (await this.keep(report, file));
    return {
      data: syncReportDocument(report),
      text: renderSyncReport(report, await client.serverUrl()),
      exitCode: isKept ? syncExitCode(report) : syncExitCode(report) || 1,
    };
  }

  /** Writes the report. Events that were sent are sent: a file that fails is told beside the result, not instead of it. */
  private async keep(report: SyncReport, file: string): Promise<boolean> {
    try {
      await writeNewFile(file, `${JSON.stringify(syncReportFile(report, Date.now()), null, 2)}\n`, '--report');
      return true;
    } catch (error) {
      this.session().warn(
        'report-not-written',
        `No report: ${error instanceof Error ? error.message : 'unknown error'}`,
      );
      return false;
    }
  }
}

/** Progress on stderr: a bar on a terminal, a line a batch elsewhere, nothing under `--json`. */
function showProgress(invocation: Invocation): { show(progress: SyncProgress): void; end(): void } {
  const { json, stderr } = invocation;
  if (json) return { show() {}, end() {} };
  const startedAt = performance.now();
  const elapsedMs = (): number => performance.now() - startedAt;
  if (stderr.isTTY !== true) {
    return { show: (progress) => invocation.say(progressLine(progress, elapsedMs())), end() {} };
  }
  const clear = '\r\u001B[2K';
  return {
    show: (progress) => stderr.write(clear + progressBar(progress, elapsedMs(), stderr.columns ?? 80)),
    end: () => stderr.write(clear),
  };
}
