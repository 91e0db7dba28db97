/** The workflow domain: services without any knowledge of flags, terminals or frameworks. */
export { createFeature, type CreateFeatureInput, type CreateFeatureResult } from './create-feature.ts';
export { isWorkflowError, WorkflowError, type WorkflowErrorKind } from './errors.ts';
export { finalizeTasks, type FinalizeTasksInput, type FinalizeTasksResult } from './finalize-tasks.ts';
export { createGit } from './git.ts';
export { implement, type ImplementInput, type ImplementResult } from './implement.ts';
export { init, type InitInput, type InitResult } from './init.ts';
export { renderKanban } from './kanban.ts';
export type { Git, Lock, Place, Progress, ProjectIdentity, WorkflowDeps, WorkflowEvents } from './ports.ts';
export { findProject, findRepository, type Project, type Repository } from './project-root.ts';
export { scaffold, type ScaffoldInput, type ScaffoldResult } from './scaffold.ts';
export { tasksStatus, type TasksStatusInput, type TasksStatusResult, type WpStatus } from './status.ts';
