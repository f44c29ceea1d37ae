# What each hook of an agent program runs: exec sh hook.sh SESSIONS PYTHON HARNESS ROLE
#
# It is run at every tool call, so what happens when no mail waits is done in the shell alone. The program is
# the parent of this process, and its number names the session's folder (sessions.py).

here=$1/$PPID
python=$2
harness=$3
role=$4

state() {
    was=
    read -r was 2>/dev/null <"$here/state"
    [ "$was" = "$1" ] || printf '%s\n' "$1" >"$here/state"
}

deliver() {
    exec "$python" -P -m msgcode.harness.hook "$here" "$harness" "$role"
}

case $role in
start | ask) deliver ;;
esac
if [ "$role" = wait ] && ! [ -p "$here/wake" ]; then
    # The session has only begun, and nobody else has made its folder yet.
    umask 077
    mkdir -p "$here" && { mkfifo "$here/wake" 2>/dev/null || [ -p "$here/wake" ]; } || exit 0
fi
[ -d "$here" ] || exit 0
case $role in
tool) state busy ;;
stop) state idle ;;
end) state offline ;;
prompt)
    state busy
    # Whoever waits for mail to wake the session need not any more: it is awake.
    [ -p "$here/wake" ] && : <>"$here/wake"
    ;;
wait)
    # One line for one waiter. That of an earlier turn reads the end of the file, and is done.
    read -r _ <"$here/wake" || exit 0
    ;;
esac
[ -e "$here/mail" ] || exit 0
deliver
