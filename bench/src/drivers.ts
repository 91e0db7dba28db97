/** The two stores of Node. */
export const DRIVERS = ['node-sqlite', 'sqljs'] as const;
export type Driver = (typeof DRIVERS)[number];
