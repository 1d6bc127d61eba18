/** Whether a YAML config passes a JSON Schema, as an editor would find. */
import { parseYaml, z } from '@systemg/core'

export const takesConfig = async (schema: string, config: string): Promise<boolean> => {
  const readText = () => Promise.resolve(undefined)
  const { value, problems } = await parseYaml({ text: config, file: 'systemg.yaml', readText })
  if (problems.length > 0) throw new Error(problems[0]?.message)
  return z.fromJSONSchema(JSON.parse(schema) as Parameters<typeof z.fromJSONSchema>[0]).safeParse(value).success
}
