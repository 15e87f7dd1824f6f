# Everything that damo does to switch monitoring on and off.
. "$SCRIPTS/common.sh"

try stop_idle damo stop

# A command: damo starts it, and monitors it.
try start_command damo start "masim $STAIRS -q"
try command_pid cat "$CONTEXT/targets/0/pid_target"
try command_name cat "/proc/$(cat command_pid.out)/cmdline"
try state_on cat "$KDAMOND/state"
try kdamond_pid cat "$KDAMOND/pid"
try kdamond_name cat "/proc/$(cat kdamond_pid.out)/comm"
try pgrep pgrep -x kdamond.0
try access damo report access
try damon_command damo report damon
try tune damo tune "$(cat command_pid.out)" --monitoring_intervals 10ms 200ms 2s \
	--damos_action stat --damos_access_rate 0% 0%
try tuned_sample cat "$CONTEXT/monitoring_attrs/intervals/sample_us"
try damon_tuned damo report damon
try access_tuned damo report access
try stop damo stop
try state_off cat "$KDAMOND/state"
try kdamond_gone cat "$KDAMOND/pid"
try pgrep_gone pgrep -x kdamond.0

# A process that runs already.
try start_pid damo start "$(cat command_pid.out)"
try damon_pid damo report damon --format json
kill "$(cat command_pid.out)"
# Its kdamond finds out when it next looks for new mappings.
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
	[ "$(cat $KDAMOND/state)" = off ] && break
	sleep 0.1
done
try state_of_the_dead cat "$KDAMOND/state"
try pid_of_the_dead cat "$KDAMOND/pid"

# Physical memory.
try start_paddr damo start paddr
try paddr_region cat "$CONTEXT/targets/0/regions/0/start" "$CONTEXT/targets/0/regions/0/end"
try access_paddr damo report access
try stop_paddr damo stop

# A whole document.
try start_json damo start "$SCRIPTS/kdamonds.json"
try damon_json damo report damon --format json --raw
try tried cat "$CONTEXT/schemes/1/action"
try stop_json damo stop

try features damo features
try layout damo report pa_layout
