# What a command in a sandbox sees.
. "$SCRIPTS/common.sh"

try where pwd
try variable printenv OURS
try user id -u
try mounted findmnt -n -o FSTYPE,SOURCE --target "$ADMIN"
try admin stat -c %d "$ADMIN"
try mm ls /sys/kernel/mm
try listed ls "$ADMIN/kdamonds"
try perf sh -c 'command -v perf'
try masim sh -c 'command -v masim'
try events cat /sys/kernel/tracing/available_events
try iomem grep -c "System RAM" /proc/iomem
try home touch "$HOME/left_at_home"
try processes sh -c 'ls -d /proc/[0-9]* | wc -l'
try stdin cat

# A registered workload, a rule of the user's, and one that nothing is known of.
masim "$STAIRS" -q &
echo 1 >"$ADMIN/kdamonds/nr_kdamonds"
echo 1 >"$KDAMOND/contexts/nr_contexts"
echo 1 >"$CONTEXT/targets/nr_targets"
echo 1 >"$CONTEXT/schemes/nr_schemes"
echo 18446744073709551615 >"$CONTEXT/schemes/0/access_pattern/sz/max"
echo 4294967295 >"$CONTEXT/schemes/0/access_pattern/nr_accesses/max"
echo 4294967295 >"$CONTEXT/schemes/0/access_pattern/age/max"
echo stat >"$CONTEXT/schemes/0/action"

# became PID WORD: waits until a process that was just started is the program of that word.
became() {
	until tr '\0' ' ' <"/proc/$1/cmdline" | grep -q "$2"; do :; done
}

# bytes NAME PID: how much memory the process is said to have.
bytes() {
	echo "$2" >"$CONTEXT/targets/0/pid_target"
	echo on >"$KDAMOND/state"
	echo update_schemes_tried_bytes >"$KDAMOND/state"
	try "$1" cat "$CONTEXT/schemes/0/tried_regions/total_bytes"
	echo off >"$KDAMOND/state"
}
became $! stairs.cfg
bytes bytes_masim $!
damon-async masim "$STAIRS" &
became $! stairs.cfg
bytes bytes_own $!
cp /bin/sleep ./named_by_rule
./named_by_rule 60 &
became $! named_by_rule
bytes bytes_rule $!
sleep 60 &
became $! sleep
bytes bytes_unknown $!
echo 99999 >"$CONTEXT/targets/0/pid_target"
# A program, because some shells do not say why their own echo failed.
try nobody sh -c "/bin/echo on >$KDAMOND/state"

# Left running: ends with the sandbox.
sleep 6071 &
