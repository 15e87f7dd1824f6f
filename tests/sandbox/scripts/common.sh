# Sourced by the other scripts: runs commands, and keeps what each of them said.

# Where the control tree is, and the files of the first kdamond in it.
ADMIN=/sys/kernel/mm/damon/admin
KDAMOND=$ADMIN/kdamonds/0
CONTEXT=$KDAMOND/contexts/0

# The memory of the workload that the scripts start.
STAIRS="$SCRIPTS/stairs.cfg"

# try NAME COMMAND...: leaves NAME.out, NAME.err and NAME.rc in the working directory.
try() {
	name=$1
	shift
	"$@" >"$name.out" 2>"$name.err" </dev/null
	echo $? >"$name.rc"
}

# interrupted SECONDS COMMAND...: as at a terminal where somebody presses Ctrl-C, and
# loses patience ten seconds later. One signal, and to the command alone: of two in a row, the
# handler of damo report trace may wait for itself for ever.
interrupted() {
	timeout --foreground --preserve-status -k 10 -s INT "$@"
}
