/** `spec-kitty sync doctor`: looks over everything between a command and the server, and names what helps. */
import { type CommandOutcome, SpecKittyCommand } from '../../command.ts';
import { doctorDocument, doctorExitCode, renderDoctor } from '../../render/doctor.ts';

export default class SyncDoctor extends SpecKittyCommand {
  static override summary = 'Look for what keeps events from being recorded or delivered.';
  static override description =
    'Examines the home, the settings, the queue and its file, the sign-in and the project, and asks the server. Exit code 1 when something keeps events from being recorded or delivered.';
  static override examples = [
    { description: 'Look', command: '<%= config.bin %> sync doctor' },
    { description: 'In a script', command: '<%= config.bin %> sync doctor --json | jq .healthy' },
  ];

  protected async work(): Promise<CommandOutcome> {
    await this.parse(SyncDoctor);
    const client = await this.session().client();
    const findings = await client.diagnose();
    return {
      data: doctorDocument(findings),
      text: renderDoctor(findings),
      exitCode: doctorExitCode(findings),
    };
  }
}
