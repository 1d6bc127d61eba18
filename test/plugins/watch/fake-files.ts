/** Files that change when the test says so. */
import type { OpenWatch, WatchFiles, WatchListener, WatchRequest } from '../../../plugins/src/watch/port.ts'
// So that the plugin, which loads it when it is needed, has it at once.
import '../../../plugins/src/watch/paths.ts'

export class FakeFiles {
  opened = 0
  closed = 0
  readonly #watches = new Set<{ readonly request: WatchRequest; readonly listener: WatchListener }>()

  get open(): number {
    return this.#watches.size
  }

  readonly watch: WatchFiles = (request, listener): OpenWatch => {
    const one = { request, listener }
    this.opened += 1
    this.#watches.add(one)
    return {
      close: () => {
        this.closed += 1
        this.#watches.delete(one)
        return Promise.resolve()
      },
    }
  }

  /** A file is written. */
  change(path: string): void {
    for (const { request, listener } of this.#watches) if (!request.ignores(path, false)) listener.onChange(path)
  }

  fail(failure: Parameters<WatchListener['onFailure']>[0]): void {
    for (const { listener } of this.#watches) listener.onFailure(failure)
  }
}
