# What damo records, and what it makes of that.
. "$SCRIPTS/common.sh"

try record damo record "masim $STAIRS -q" --monitoring_intervals 2ms 40ms 1s --timeout 4
try files ls
try heatmap damo report heatmap --resol 10 40
try wss damo report wss
try access damo report access
try info damo report record_info
try nr_regions damo report nr_regions
try footprints damo report footprints
try idle cat "$KDAMOND/state"

masim "$STAIRS" -q &
workload=$!
try start damo start "$workload" --damos_action stat
try ongoing damo record ongoing --timeout 0.7 -o ongoing.data
try ongoing_access damo report access --input ongoing.data
try snapshots damo record ongoing --snapshot 100ms 3 -o snapshots.data
try snapshots_access damo report access --input snapshots.data
try tried damo record ongoing --schemes_target_regions --timeout 0.7 -o tried.data
try tried_access damo report access --input tried.data --raw_form
try still cat "$KDAMOND/state"
try stop damo stop
kill "$workload"
