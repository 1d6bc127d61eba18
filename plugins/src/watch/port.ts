/** What the plugin asks of whoever looks at files. */

export interface WatchRequest {
  /** Files and folders to watch; they need not exist. */
  readonly roots: readonly string[]
  /** Neither told of nor looked into. */
  readonly ignores: (path: string, isFolder: boolean) => boolean
}

export interface WatchListener {
  /** A file was written, made or removed. */
  onChange(path: string): void
  /** Something cannot be watched; what else can be is. */
  onFailure(failure: { readonly code: string | undefined; readonly message: string }): void
}

export interface OpenWatch {
  close(): Promise<void>
}

/** Begin to watch. What changes from now on is told, also while it still looks around. Never throws. */
export type WatchFiles = (request: WatchRequest, listener: WatchListener) => OpenWatch
