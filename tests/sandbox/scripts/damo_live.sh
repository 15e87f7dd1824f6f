# What damo shows of what is going on.
. "$SCRIPTS/common.sh"

# As long as somebody looks at it.
timeout --preserve-status -k 10 -s INT 60 damo schemes "masim $STAIRS -q" --monitoring_intervals 1ms 20ms 1s \
	--damos_action pageout --damos_sz_region 4K max --damos_access_rate 0% 0% \
	--damos_age 100ms max --damos_quotas 0 8M 500ms >schemes.out 2>schemes.err &
schemes=$!
sleep 2.7
try stats damo report damon --damos_stats
try schemes_damon damo report damon
try trace_events interrupted 4 damo report trace
try trace_one interrupted 4 damo report trace --event damon:damos_before_apply
kill -INT "$schemes"
wait "$schemes"
echo $? >schemes.rc
try after_schemes cat "$KDAMOND/state"

try monitor interrupted 40 damo monitor "masim $STAIRS -q" --delay 1 --count 1
