/** What the `health` plugin is without options. */
export const healthDefaults = { pipes: 'run/notify' }

export type HealthOptions = Readonly<typeof healthDefaults>
