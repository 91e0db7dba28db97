/** `spec-kitty sync server [URL]`: shows or sets where events go. */
import * as Args from '@oclif/core/args';

import { type CommandOutcome, SpecKittyCommand } from '../../command.ts';

export default class SyncServer extends SpecKittyCommand {
  static override summary = 'Show or set the server events are sent to.';
  static override description =
    'An https address, or http on this machine. Events already bound to another server keep their address.';
  static override examples = [
    { description: 'Show it', command: '<%= config.bin %> sync server' },
    { description: 'Set it', command: '<%= config.bin %> sync server https://kitty.example.com' },
  ];
  static override args = {
    // ignoreStdin: the framework would wait for a pipe to end before it believes the argument is missing.
    url: Args.string({
      description: 'The new address. Without it the present one is shown.',
      required: false,
      ignoreStdin: true,
    }),
  };

  protected async work(): Promise<CommandOutcome> {
    const { args } = await this.parse(SyncServer);
    const client = await this.session().client();
    if (args.url !== undefined) {
      const server = await client.setServerUrl(args.url);
      const inUse = await client.serverUrl();
      // A sign-in is good for its own server only, so until the next one that is where events go.
      if (inUse !== null && inUse !== server) {
        return {
          data: { server: inUse, next_server: server, changed: true },
          text: `${server} is remembered for the next sign-in. Until then events go to ${inUse}, where you are signed in.\nChange over: spec-kitty auth login --force --server ${server}`,
        };
      }
      return { data: { server, changed: true }, text: `Events go to ${server}.` };
    }
    const server = await client.serverUrl();
    return {
      data: { server, changed: false },
      text: server ?? 'No server is set. Set one: spec-kitty sync server https://…',
    };
  }
}
