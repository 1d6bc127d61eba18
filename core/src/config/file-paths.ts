/** POSIX paths as text: the core touches no file system. */

/** `path` as an absolute path, seen from `folder`; `.` and `..` are taken out. */
export const resolvePath = (folder: string, path: string): string => {
  const whole = path.startsWith('/') ? path : `${folder}/${path}`
  const parts: string[] = []
  for (const part of whole.split('/')) {
    if (part === '..' && parts.length > 0 && parts.at(-1) !== '..') parts.pop()
    else if (part === '..' && !whole.startsWith('/')) parts.push(part)
    else if (part !== '' && part !== '.' && part !== '..') parts.push(part)
  }
  return `${whole.startsWith('/') ? '/' : ''}${parts.join('/')}` || '.'
}

/** The folder a file is in; `.` for a bare name. */
export const folderOf = (file: string): string => {
  const slash = file.lastIndexOf('/')
  return slash > 0 ? file.slice(0, slash) : slash === 0 ? '/' : '.'
}

/** `file` as seen from `folder` when it is inside of it, else unchanged. */
export const relativeTo = (folder: string | undefined, file: string): string =>
  folder !== undefined && file.startsWith(`${folder}/`) ? file.slice(folder.length + 1) : file
