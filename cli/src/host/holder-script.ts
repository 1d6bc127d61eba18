/**
 * The holder: a shell that does nothing but keep descriptors open, until the supervisor that started it has died.
 *
 *   reads its stdin, a pipe from the supervisor ── `end` ──► ends
 *     │ the pipe ends: the supervisor has died, or, after `now`, handed over
 *     ├── to come back by itself ──► starts a supervisor, which inherits everything, starts a holder of its own and kills this one
 *     └── otherwise, or after too many tries ──► waits on a named pipe until `sysg start` says `go`, then does the same
 *
 * It stays until it is killed: a supervisor that dies before it has a holder of its own is tried again. So does one whose
 * supervisor finds that another one has the project, as when two holders were there for a moment: that one may not have opened
 * yet what this one keeps, and kills it when it has; if that one dies first, it is this one's turn. In an upgrade another
 * version is tried first, once, and not for ever: the next one, and after that one's death, until it is `calm`, the one before.
 */

/** Supervisors in a row that may die before they have lived for `calmAfterMs`. */
export const mostTries = 10

/** The supervisor ends with this when another one has the project. */
export const takenExitCode = 75

/**
 * Arguments: tries so far, `yes` to come back by itself, the named pipe, the file for the supervisor's stdin; of a command that
 * is tried once the seconds it may take and the number of its words (0: there is none), then these words; the supervisor's
 * command.
 */
export const holderScript = `: systemg holder, keeps sockets and output open for a supervisor
tries=$1 respawn=$2 door=$3 request=$4 limit=$5 trial=$6 handed_over=
shift 6
try_once() {
  at=0
  for word; do
    [ $at -gt 0 ] || set --
    [ $at -ge $trial ] || set -- "$@" "$word"
    at=$((at + 1))
  done
  "$@" <"$request" &
  tried=$!
  { sleep $limit; kill -9 $tried; } 2>/dev/null &
  wait $tried
}
while read -r line; do
  case $line in
    end) exit 0 ;;
    calm)
      tries=0
      shift $trial
      trial=0 ;;
    now) handed_over=yes ;;
  esac
done
if [ $trial -gt 0 ]; then
  respawn=yes
  [ "$handed_over" ] || echo "it died soon after an upgrade; the version before is tried" >&2
fi
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
  if [ $trial -gt 0 ]; then
    try_once "$@"
    code=$?
    kill $! 2>/dev/null
    [ $code -eq 137 ] && code="$code (killed, or not ready within $limit s)"
    echo "it did not take over: exit code $code" >&2
    shift $trial
    trial=0
  fi
  tries=$((tries + 1))
  SYSG_RESPAWNS=$tries "$@" <"$request"
  [ $? -eq ${takenExitCode} ] && sleep 1
done
`
