/** What the `logs` plugin is without options. */
export const logsDefaults = { folder: 'logs', pipes: 'run/output' }

export type LogsOptions = Readonly<typeof logsDefaults>
