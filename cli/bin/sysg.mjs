#!/usr/bin/env node
// Runs on any Node: to find a newer one beside it, or to say in one line that this one is too old for the rest.
const [major, minor] = process.versions.node.split('.').map(Number)
if (major > 22 || (major === 22 && minor >= 18)) {
  process.getBuiltinModule('node:module').enableCompileCache()
  const [name, ...args] = process.argv.slice(2)
  // A supervisor in the background is a bundle of its own, without what only commands for people need.
  if (name === '__supervise') await (await import('../dist/supervisor/main.mjs')).main(args)
  else await (await import('../dist/main.mjs')).main(process.argv.slice(2))
} else {
  const newer = await findNewerNode()
  if (newer === undefined) {
    process.stderr.write(`sysg needs Node 22.18 or newer; this is ${process.versions.node} (${process.execPath}).\n`)
    process.exitCode = 1
  } else await runWith(newer)
}

/** The npm package `node`, installed beside this one (as in a clone of the repository). */
async function findNewerNode() {
  const { createRequire } = await import('node:module')
  try {
    return createRequire(import.meta.url).resolve('node/bin/node')
  } catch {
    return undefined
  }
}

async function runWith(node) {
  const { spawn } = await import('node:child_process')
  const child = spawn(node, process.argv.slice(1), { stdio: 'inherit' })
  for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT']) {
    // A terminal sends Ctrl-C to the child as well; from anybody else it comes to us alone.
    process.on(signal, () => (signal === 'SIGINT' && process.stdin.isTTY ? undefined : child.kill(signal)))
  }
  child.once('error', (error) => {
    process.stderr.write(`sysg can't run ${node}: ${error.message}\n`)
    process.exitCode = 1
  })
  child.once('exit', (code, signal) => {
    process.exitCode = code ?? 1
    if (signal !== null) process.kill(process.pid, signal)
  })
}
