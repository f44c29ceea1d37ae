# What each hook of an agent program runs: exec sh hook.sh SESSIONS PYTHON HARNESS ROLE [shared]
#
# It is run at every tool call, so what happens when no mail waits is done in the shell alone. The program is
# the parent of this process, and its number names the session's folder (sessions.py). Where conversations
# share a process, their id names it: the first key of what the hook is told.

here=$1/$PPID
python=$2
harness=$3
role=$4
if [ "$5" = shared ]; then
    told=$(dd bs=200 count=1 2>/dev/null) # Not head: that of macOS reads more than it writes.
    id=${told#*\"session_id\":\"}
    id=${id%%\"*}
    case $id in
    '' | *[!A-Za-z0-9_-]*) exit 0 ;;
    esac
    here=$1/$id
fi

state() {
    was=
    read -r was 2>/dev/null <"$here/state"
    [ "$was" = "$1" ] || printf '%s\n' "$1" >"$here/state"
}

hand_over() {
    exec "$python" -P -m msgcode.harness.hook "$here" "$harness" "$role" "$PPID"
}

deliver() {
    [ -n "$told" ] || hand_over
    {
        printf '%s' "$told"
        cat
    } | hand_over
    exit
}

case $role in
start | ask) deliver ;;
wait)
    # Only where there is a terminal: without one, Claude Code would wait for us instead of ending.
    [ "${CLAUDE_CODE_ENTRYPOINT:-cli}" = cli ] || exit 0
    # When the session has only begun, others are making its folder yet; when it has ended, it is gone.
    tries=100
    until [ -p "$here/wake" ]; do
        tries=$((tries - 1))
        [ "$tries" -gt 0 ] && kill -0 "$PPID" 2>/dev/null || exit 0
        sleep 0.1
    done
    told=$(cat)
    : <>"$here/wake" # Whoever waits already reads the end of the file, and is done: one is enough.
    # One line for one waiter. Who is woken for nothing, as somebody else was faster, goes on waiting.
    while { read -r _ <"$here/wake"; } 2>/dev/null; do
        [ -e "$here/mail" ] || continue
        said=$(printf '%s' "$told" | hand_over 2>&1)
        [ $? = 2 ] || continue
        printf '%s\n' "$said" >&2
        exit 2
    done
    exit 0
    ;;
esac
[ -d "$here" ] || exit 0
case $role in
prompt | tool) state busy ;;
stop)
    # In its terminal Claude Code is woken at once: it shows less of that, and takes more and longer texts.
    [ "$harness $CLAUDE_CODE_ENTRYPOINT" = "claude cli" ] && state idle && exit 0
    [ -e "$here/mail" ] || state idle # Else the turn may go on.
    ;;
end)
    state offline
    [ -p "$here/wake" ] && : <>"$here/wake"
    ;;
esac
[ -e "$here/mail" ] || exit 0
deliver
