"""How much slower is learning from reward than learning from labels?

Runs agents on one environment, paired by seed, prints a table, and writes report.html (a page to
look at and send on), summary.json (the table's figures and what they rest on), curves.csv and
curves.png. From Python, with agents of one's own, it is `agents.comparing.compare`.

    python scripts/compare.py --env MNISTReward-v0 --agents supervised,q_agrel --seeds 5
"""

import credit_envs

credit_envs.require_agents()

from agents.comparing import Comparing as Args
from agents.comparing import compare as main
from agents.comparison.options import script

if __name__ == "__main__":
    script(main, Args)
