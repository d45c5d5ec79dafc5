#!/usr/bin/env bash
# Does a sweep survive on SLURM? Brings up a cluster of one node on loopback, as root on Debian 12:
#
#     apt-get install --no-install-recommends slurmctld slurmd slurm-client munge
#     .venv/bin/pip install -e ".[slurm]"
#     bash scripts/slurm_check.sh
#
# runs a small sweep through it, kills a run in its midst in each of two ways (SLURM takes the job
# back, as it does for a more urgent one; SLURM's warning before time is up), and compares what the
# requeued jobs leave with the same runs never disturbed: every tensor and row must be equal.
# Nothing of it is part of `make test`. A munge, ports and a folder of its own: no other SLURM is
# touched. PYTHON=<python> takes another one than the project's.
set -euo pipefail
cd "$(dirname "$0")/.."
PYTHON=${PYTHON:-.venv/bin/python}
HERE=$(mktemp -d)
export SLURM_CONF=$HERE/slurm.conf PYTHONPATH=$PWD${PYTHONPATH:+:$PYTHONPATH}
export PATH=$PATH:/usr/sbin OMP_NUM_THREADS=1
SWEEP=(--agents "reward_prediction+kolen_pollack,supervised" --sizes 256,128 --batch 32
    --epochs 150 --seeds 1 --device cpu --quiet)

pids=()
finish() {
    scancel --user=root 2>/dev/null && sleep 5 || true
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
    wait 2>/dev/null || true
    [ "${KEEP:-}" ] && echo "kept: $HERE" || rm -rf "$HERE"
}
trap finish EXIT

# The cluster

mkdir "$HERE/spool" "$HERE/state"
dd if=/dev/urandom of="$HERE/munge.key" bs=128 count=1 status=none
chmod 600 "$HERE/munge.key"
cat >"$SLURM_CONF" <<CONF
ClusterName=loopback
SlurmctldHost=$(hostname -s)(127.0.0.1)
SlurmctldPort=26817
SlurmdPort=26818
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$HERE/munge.socket
CredType=cred/munge
StateSaveLocation=$HERE/state
SlurmdSpoolDir=$HERE/spool
SlurmctldPidFile=$HERE/slurmctld.pid
SlurmdPidFile=$HERE/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
JobRequeue=1
KillWait=2
ReturnToService=2
MailProg=/bin/true
NodeName=$(hostname -s) NodeAddr=127.0.0.1 CPUs=2 State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES State=UP
CONF
munged --foreground --force --socket "$HERE/munge.socket" --key-file "$HERE/munge.key" \
    --pid-file "$HERE/munge.pid" --log-file "$HERE/munge.log" --seed-file "$HERE/munge.seed" \
    >"$HERE/munged.out" 2>&1 &
pids+=($!)
sleep 1
slurmctld -D >"$HERE/slurmctld.out" 2>&1 &
pids+=($!)
slurmd -D >"$HERE/slurmd.out" 2>&1 &
pids+=($!)

# until <seconds> <what> <command>: wait for a command to succeed
until_() {
    local seconds=$1 what=$2
    shift 2
    for _ in $(seq "$seconds"); do
        "$@" >/dev/null 2>&1 && return
        sleep 1
    done
    echo "error: $what did not happen within $seconds s" >&2
    squeue >&2 || true
    tail -n 5 "$HERE"/*.out >&2
    exit 1
}
idle() { [ "$(sinfo --noheader --format=%t)" = idle ]; }
until_ 60 "the node's coming up" idle
sinfo

# The same runs here, never disturbed

"$PYTHON" scripts/sweep.py "${SWEEP[@]}" --out "$HERE/local"

# The sweep on the cluster, and two kills

"$PYTHON" scripts/sweep.py "${SWEEP[@]}" --out "$HERE/slurm" --executor slurm \
    --slurm timeout_min=30 >"$HERE/sweep.out" 2>&1 &
sweep=$!
pids+=($sweep)
checkpoints() { [ "$(find "$HERE/slurm" -name last.safetensors | wc -l)" = 2 ]; }
until_ 240 "both runs' first checkpoint" checkpoints
mapfile -t jobs < <(squeue --noheader --array --states=RUNNING --format=%i)
echo "running: ${jobs[*]}"
scontrol requeue "${jobs[0]}"
echo "${jobs[0]}: taken back by SLURM"
scancel --signal=USR2 "${jobs[1]}"
echo "${jobs[1]}: warned as before its time is up"
if find "$HERE/slurm" -name done | grep -q .; then
    echo "error: a run was done before it was killed: make --epochs larger" >&2
    exit 1
fi
# SLURM lets a requeued job wait for two minutes
waiting() { [ "$(squeue --noheader --array --states=PENDING --format=%i | wc -l)" = 2 ]; }
until_ 60 "both jobs' requeueing" waiting
for job in "${jobs[@]}"; do scontrol update "jobid=$job" starttime=now; done
wait $sweep || { cat "$HERE/sweep.out" >&2; exit 1; }
cat "$HERE/sweep.out"
grep -h "Job has timed out\|timed out\|requeue\|preempted" "$HERE"/slurm/slurm/*.err | head -n 4 || true

# Equal?

"$PYTHON" - "$HERE/local" "$HERE/slurm" <<'PY'
import sys
from dataclasses import replace
from pathlib import Path

import torch

from agents import checkpoint
from agents.runs.folder import find

local, slurm = (find(Path(root)) for root in sys.argv[1:])
assert not local[1] + slurm[1], local[1] + slurm[1]
assert len(local[0]) == len(slurm[0]) == 2
for here, there in zip(local[0], slurm[0], strict=True):
    assert replace(here.end, seconds=0) == replace(there.end, seconds=0)
    rows = [[replace(row, seconds=0) for row in run.rows] for run in (here, there)]
    assert rows[0] == rows[1]
    ours, theirs = (checkpoint.read(run.folder / "last.safetensors")[0] for run in (here, there))
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    print(f"{here.config['agent']}: {len(ours)} tensors and {len(rows[0])} rows are equal")
PY
