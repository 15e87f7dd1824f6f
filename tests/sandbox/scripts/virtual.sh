# Time that passes only while a command waits.
. "$SCRIPTS/common.sh"

echo 1 >"$ADMIN/kdamonds/nr_kdamonds"
echo 1 >"$KDAMOND/contexts/nr_contexts"
echo paddr >"$CONTEXT/operations"
echo 1 >"$CONTEXT/targets/nr_targets"
echo 1 >"$CONTEXT/targets/0/regions/nr_regions"
echo $((4 << 30)) >"$CONTEXT/targets/0/regions/0/start"
echo $((5 << 30)) >"$CONTEXT/targets/0/regions/0/end"
echo 1 >"$CONTEXT/schemes/nr_schemes"
echo 18446744073709551615 >"$CONTEXT/schemes/0/access_pattern/sz/max"
echo 4294967295 >"$CONTEXT/schemes/0/access_pattern/nr_accesses/max"
echo 4294967295 >"$CONTEXT/schemes/0/access_pattern/age/max"
echo stat >"$CONTEXT/schemes/0/action"
echo on >"$KDAMOND/state"

# stats NAME: how often the scheme was tried by now.
stats() {
	echo update_schemes_stats >"$KDAMOND/state"
	try "$1" cat "$CONTEXT/schemes/0/stats/sz_tried"
}
echo update_schemes_tried_regions >"$KDAMOND/state"
stats before
sleep 0.5
stats after
try tree grep -r . "$CONTEXT/schemes/0"
