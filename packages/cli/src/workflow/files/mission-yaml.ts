/** `.kittify/missions/<mission>/mission.yaml`: the folders a mission says its work is in. */
import { join } from 'node:path';

import { WorkflowError } from '../errors.ts';
import { readText } from './text-files.ts';
import { parseYamlDocument, readYamlValues } from './yaml-values.ts';

/** The values of its `paths`, relative to the project root; none where the project has no such mission. Refuses broken YAML. */
export function missionPaths(root: string, mission: string): readonly string[] {
  // A mission is a folder's name; anything else must not lead out of the missions.
  if (!/^\w[\w.-]*$/.test(mission)) return [];
  const name = missionFile(mission);
  const text = readText(join(root, name), name);
  if (text === undefined) return [];
  const source = text.replace(/^\uFEFF/, '');
  const document = parseYamlDocument(source);
  const [problem] = document.errors;
  if (problem !== undefined) {
    const line = problem.linePos?.[0].line ?? 1;
    throw new WorkflowError(
      'mission-invalid',
      `${name}, line ${line}: ${problem.message.split(' at line ')[0] ?? ''}.`,
    );
  }
  const values = readYamlValues(document, source);
  if (values.kind === 'broken')
    throw new WorkflowError('mission-invalid', `${name}, line ${values.line}: ${values.why}.`);
  const { value } = values;
  const paths = typeof value === 'object' && value !== null && 'paths' in value ? value.paths : undefined;
  const listed: readonly unknown[] = typeof paths === 'object' && paths !== null ? Object.values(paths).flat() : [];
  return [...new Set(listed.filter((path) => typeof path === 'string' && path.trim() !== ''))] as readonly string[]; // filtered right here
}

/** Where a mission is described, relative to the project root. */
export function missionFile(mission: string): string {
  return `.kittify/missions/${mission}/mission.yaml`;
}
