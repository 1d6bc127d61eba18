/** For calls of Node's that warn that they are experimental: that is nothing for those who run services. */
export const quietly = <T>(body: () => T): T => {
  const emitWarning = process.emitWarning.bind(process)
  process.emitWarning = () => undefined
  try {
    return body()
  } finally {
    process.emitWarning = emitWarning
  }
}
