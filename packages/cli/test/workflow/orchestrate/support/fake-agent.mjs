/**
 * A coding agent for tests, as a real program: reads its prompt from stdin, does what the script in FAKE_AGENT_SCRIPT
 * says for this package, role and start, and answers in the form of the agent it stands for (FAKE_AGENT_FORM).
 */
import { execFileSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const {
  FAKE_AGENT_SCRIPT: scriptFile,
  FAKE_AGENT_DIARY: diary,
  FAKE_AGENT_FORM: form,
  SPEC_KITTY_AGENT: me,
} = process.env;
const prompt = readFileSync(0, 'utf8');
const role = /^# Your task: review /m.test(prompt) ? 'review' : 'implementation';
const wp = /^# Your task: \w+ (WP\d\d) /m.exec(prompt)?.[1] ?? 'WP00';
const key = `${wp} ${role}`;

mkdirSync(diary, { recursive: true });
const counter = join(diary, `${key}.count`);
const start = existsSync(counter) ? Number(readFileSync(counter, 'utf8')) : 0;
writeFileSync(counter, String(start + 1));
appendFileSync(join(diary, 'diary'), `${JSON.stringify({ key, start, agent: me, pid: process.pid, prompt })}\n`);

const script = JSON.parse(readFileSync(scriptFile, 'utf8'));
const list = script[`${key} ${me}`] ?? script[key] ?? script[role] ?? [];
const act = list[Math.min(start, list.length - 1)] ?? (role === 'review' ? 'approve' : 'work');

function answer(text) {
  if (form === 'claude-json') process.stdout.write(JSON.stringify({ type: 'result', result: text }));
  else if (form === 'codex-jsonl')
    process.stdout.write(
      `${JSON.stringify({ type: 'thread.started' })}\n${JSON.stringify({ type: 'item.completed', item: { type: 'agent_message', text } })}\n`,
    );
  else process.stdout.write(`${text}\n`);
}
const git = (...args) => execFileSync('git', args, { stdio: 'pipe', encoding: 'utf8' });
const code = /verdict code is `(\w+)`/.exec(prompt)?.[1];
const boxes = [...prompt.matchAll(/^- (T\d{3}) /gm)].map((match) => match[1]);

switch (act) {
  case 'work':
    writeFileSync(`${wp.toLowerCase()}-${start}.txt`, `${wp} by ${me}\n`);
    git('add', '-A');
    git('commit', '-qm', `${wp}: work of ${me}`);
    answer(`I did it.\nDONE ${boxes.join(' ')}`);
    break;
  case 'forget-commit':
    writeFileSync(`${wp.toLowerCase()}.txt`, 'not committed\n');
    answer('All done!');
    break;
  case 'nothing':
    answer('There was nothing to do.');
    break;
  case 'approve':
    answer(`Looks right.\nVERDICT ${code}: APPROVED`);
    break;
  case 'fix-and-approve':
    writeFileSync('fixed-by-reviewer.txt', 'x\n');
    answer(`VERDICT ${code}: APPROVED`);
    break;
  case 'reject':
    answer(`Quotes are lost in line 3.\nVERDICT ${code}: REJECTED quotes are lost`);
    break;
  case 'no-verdict':
    answer('I approve of this. APPROVED. Not rejected.');
    break;
  case 'echo':
    answer(prompt);
    break;
  case 'auth':
    process.stderr.write('Error: invalid api key\n');
    process.exitCode = 1;
    break;
  case 'network':
    process.stderr.write('network error: connection refused\n');
    process.exitCode = 1;
    break;
  case 'deaf':
    process.on('SIGTERM', () => {});
    setInterval(() => {}, 1_000);
    break;
  case 'hang':
    setInterval(() => {}, 1_000);
    break;
  default:
    process.stderr.write(`something broke: ${act}\n`);
    process.exitCode = 3;
}
