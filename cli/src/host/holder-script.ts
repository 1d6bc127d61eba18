/**
 * The holder: a shell that does nothing but keep descriptors open, until the supervisor that started it has died.
 *
 *   reads its stdin, a pipe from the supervisor ── `end` ──► ends; `now`: it goes, and another one is to take its place at once
 *     │ the pipe ends: the supervisor has died
 *     ├── to come back by itself ──► starts a supervisor, which inherits everything, starts a holder of its own and kills this one
 *     └── otherwise, or after too many tries ──► waits on a named pipe until `sysg start` says `go`, then does the same
 *
 * It stays until it is killed: a supervisor that dies before it has a holder of its own is tried again.
 */

/** Supervisors in a row that may die before they have lived for `calmAfterMs`. */
export const mostTries = 10

/** The supervisor ends with this when another one has the project. */
export const takenExitCode = 75

/** Arguments: tries so far, `yes` to come back by itself, the named pipe, the file for the supervisor's stdin, its command. */
export const holderScript = `: systemg holder, keeps sockets and output open for a supervisor
tries=$1 respawn=$2 door=$3 request=$4
shift 4
while read -r line; do
  case $line in
    end) exit 0 ;;
    calm) tries=0 ;;
    now) tries=0 respawn=yes ;;
  esac
done
while :; do
  if [ "$respawn" != yes ] || [ "$tries" -ge ${mostTries} ]; then
    [ "$tries" -ge ${mostTries} ] && echo "the supervisor died $tries times in a row; \\\`sysg start\\\` tries again" >&2
    rm -f "$door"
    mkfifo -m 600 "$door" || exit 1
    read -r line <>"$door"
    rm -f "$door"
    [ "$line" = go ] || exit 0
    tries=0
  fi
  tries=$((tries + 1))
  SYSG_RESPAWNS=$tries "$@" <"$request"
  [ $? -eq ${takenExitCode} ] && exit 0
done
`
