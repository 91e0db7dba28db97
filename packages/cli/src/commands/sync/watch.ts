/** `spec-kitty sync watch`: delivers in the foreground and says what happens, until Ctrl-C. */
import { type CommandOutcome, SpecKittyCommand } from '../../command.ts';
import { watchDocument, watchLine } from '../../render/watch.ts';
import { LAST_DELIVERY_MS, watchDelivery } from '../../watch.ts';

export default class SyncWatch extends SpecKittyCommand {
  static override summary = 'Deliver in the foreground and say what happens, until Ctrl-C.';
  static override description =
    'The courier that runs in the background is asked to make room. Events leave as they are recorded, by whichever command. ' +
    'Ctrl-C sends what is new once more, for at most five seconds; a second one ends at once. With --json every line is a document. ' +
    'Exit codes: 130 after Ctrl-C, 143 when told to end, 3 when another watch delivers for this home.';
  static override examples = [
    { description: 'Watch events leave', command: '<%= config.bin %> sync watch' },
    {
      description: 'Follow the link from a program',
      command: `<%= config.bin %> sync watch --json | jq --unbuffered 'select(.kind == "link").state'`,
    },
  ];

  protected async work(): Promise<CommandOutcome> {
    const invocation = this.invocation();
    // Before the words are read: a wrong one is answered in one line as well.
    invocation.isStream = true;
    await this.parse(SyncWatch);
    invocation.graceMs = LAST_DELIVERY_MS + 1_000;
    const session = this.session();
    const end = await watchDelivery({
      client: await session.client(),
      signal: session.signal,
      tell: (entry) => {
        const now = Date.now();
        invocation.line(watchDocument(entry, now), watchLine(entry, now));
      },
    });
    const now = Date.now();
    return { data: watchDocument(end, now), text: watchLine(end, now) };
  }
}
