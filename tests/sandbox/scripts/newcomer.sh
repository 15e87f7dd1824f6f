# The first thing anybody tries.
set -e
damo start "masim $SCRIPTS/stairs.cfg -q"
damo report access
damo stop
