/** `spec-kitty sync now`: sends everything that waits, and says what became of it. */
import { type CommandOutcome, SpecKittyCommand } from '../../command.ts';
import type { Invocation } from '../../invocation.ts';
import { renderProgress, renderSyncReport, syncExitCode, syncReportDocument } from '../../render/sync-report.ts';

export default class SyncNow extends SpecKittyCommand {
  static override summary = 'Send the waiting events now.';
  static override description =
    'Works whatever else runs. Exit codes: 0 everything delivered or nothing to do, 1 events rejected or the server refuses, ' +
    '3 not delivered yet (unreachable, pending, busy), 4 not signed in, 130 interrupted.';
  static override examples = [
    { description: 'Send', command: '<%= config.bin %> sync now' },
    { description: 'Send from a script and read the verdicts', command: '<%= config.bin %> sync now --json' },
  ];

  protected async work(): Promise<CommandOutcome> {
    await this.parse(SyncNow);
    const session = this.session();
    const client = await session.client();
    const progress = progressLine(this.invocation());
    const report = await client.syncNow({
      signal: session.signal,
      onProgress: (now) => progress.show(renderProgress(now)),
    });
    progress.end();
    return {
      data: syncReportDocument(report),
      text: renderSyncReport(report, await client.serverUrl()),
      exitCode: syncExitCode(report),
    };
  }
}

/** Progress on stderr: one line rewritten on a terminal, a line a batch elsewhere, nothing under `--json`. */
function progressLine(invocation: Invocation): { show(text: string): void; end(): void } {
  const { json, stderr } = invocation;
  if (json) return { show() {}, end() {} };
  if (stderr.isTTY !== true) return { show: (text) => invocation.say(text), end() {} };
  const clear = '\r\u001B[2K';
  return {
    show: (text) => stderr.write(`${clear}${text}`),
    end: () => stderr.write(clear),
  };
}
