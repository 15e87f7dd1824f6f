#!/bin/sh
# Checks the files of the tree the way a test of a kernel would: by writing to them.
# Ends with 0 if all is as it should be.

admin=/sys/kernel/mm/damon/admin
failed=0

complain() {
	echo "$1" >&2
	failed=1
}

# takes FILE VALUE...: each value can be written, and is read back.
takes() {
	file=$1
	shift
	for value in "$@"; do
		/bin/echo "$value" >"$file" 2>/dev/null || complain "$file refused $value"
		[ "$(cat "$file")" = "$value" ] || complain "$file lost $value"
	done
}

# refuses REASON FILE VALUE...: none can be written, and the old value stays.
refuses() {
	reason=$1
	file=$2
	shift 2
	before=$(cat "$file")
	for value in "$@"; do
		said=$(/bin/echo "$value" 2>&1 >"$file") && complain "$file took $value"
		case $said in *"$reason"*) ;; *) complain "$file: $value: $said" ;; esac
		[ "$(cat "$file")" = "$before" ] || complain "$file changed by $value"
	done
}

# nothing_else FOLDER NAME...: the folder has these entries, and no others.
nothing_else() {
	folder=$1
	shift
	wanted=$(printf '%s\n' "$@" | sort)
	[ "$(ls "$folder" | sort)" = "$wanted" ] || complain "$folder has $(ls "$folder" | xargs)"
}

[ "$(id -u)" = 0 ] || complain "not root"
[ -d "$admin" ] || complain "no $admin"

takes "$admin/kdamonds/nr_kdamonds" 1 2 0
refuses "Invalid argument" "$admin/kdamonds/nr_kdamonds" -1 word
takes "$admin/kdamonds/nr_kdamonds" 1
nothing_else "$admin/kdamonds" 0 nr_kdamonds

kdamond=$admin/kdamonds/0
takes "$kdamond/contexts/nr_contexts" 0 1
refuses "Invalid argument" "$kdamond/contexts/nr_contexts" 2 -1
refuses "Invalid argument" "$kdamond/state" no_such_word
[ "$(cat "$kdamond/pid")" = -1 ] || complain "a pid before the start"

context=$kdamond/contexts/0
takes "$context/operations" paddr fvaddr vaddr
refuses "Invalid argument" "$context/operations" none
takes "$context/monitoring_attrs/intervals/sample_us" 1000 5000
takes "$context/monitoring_attrs/nr_regions/min" 3 10
refuses "Invalid argument" "$context/monitoring_attrs/intervals/aggr_us" -1 x ""
takes "$context/targets/nr_targets" 3 0 1
nothing_else "$context/targets" 0 nr_targets
takes "$context/schemes/nr_schemes" 2 1
takes "$context/schemes/0/action" pageout hugepage stat
refuses "Invalid argument" "$context/schemes/0/action" fly
for bound in min max; do
	for file in sz nr_accesses age; do
		takes "$context/schemes/0/access_pattern/$file/$bound" 4096 0
	done
done
/bin/echo 1 2>/dev/null >"$kdamond/no_such_file" && complain "a file could be made"

# It runs, and is seen to run.
takes "$context/targets/0/pid_target" $$
/bin/echo on >"$kdamond/state" || complain "does not start"
[ "$(cat "$kdamond/state")" = on ] || complain "is not on"
[ "$(pgrep kdamond)" = "$(cat "$kdamond/pid")" ] || complain "no such process: $(cat "$kdamond/pid")"
refuses "Device or resource busy" "$kdamond/state" on
refuses "Device or resource busy" "$admin/kdamonds/nr_kdamonds" 0
/bin/echo off >"$kdamond/state" || complain "does not stop"
pgrep kdamond >/dev/null && complain "runs after its end"

exit $failed
