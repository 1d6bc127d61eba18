/** Why something cannot be watched, and what helps. */

const remedies: Readonly<Record<string, string>> = {
  ENOSPC:
    'the kernel allows no more watches; raise `fs.inotify.max_user_watches` (`sysctl fs.inotify.max_user_watches=524288`), or watch fewer folders',
  EMFILE:
    'the kernel allows no more watchers, or the supervisor has too many open files; raise `fs.inotify.max_user_instances` or `ulimit -n`',
}

export const describeFailure = ({ code, message }: { code: string | undefined; message: string }): string => {
  const remedy = code === undefined ? undefined : remedies[code]
  return remedy === undefined ? message : `${remedy} (${code ?? ''})`
}
