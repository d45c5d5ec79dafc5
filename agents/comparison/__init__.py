"""Agents side by side under equal conditions: the runs, their figures, the table and the picture.

The protocol, version 3 (the modules cite its lines by number):

1. A seed fixes stream, initial weights and exploration for all agents: runs are paired by seed.
2. Same network, batch, preprocessing and trials. Validation decides hitting times; test is read
   once, at the end of the budget.
3. Every cell's settings are searched alike (`search`): 16 configurations, on the tuning seeds 0
   and 1, by final validation accuracy and with a margin against divergence; the seeds 100 and up
   report. No seed does both.
4. Criterion: chance + rho (S - chance) with rho .90, .95 (headline), .99; S is supervised
   cross-entropy's mean final validation accuracy, frozen in benchmarks/criteria.csv.
5. Hitting time in trials: validation at 4 points per doubling from 1/16 epoch; hit = the first of
   3 consecutive evaluations at or above the criterion, interpolated in log trials.
6. Horizon: 10 x supervised's median hitting time, or the third last evaluation if that is before:
   later hits are not seen. Not reached by then, or diverged = censored; a diverged run scores
   chance. Nothing is dropped.
7. Ratio: T_agent / T_supervised seed by seed, geometric mean with a t interval on logs; with any
   censoring the median with its order-statistic interval, "> x" where only that is known.
8. A rule carries credit only if it beats the readout-only control.
9. Under 5 seeds: every seed's value, no interval, no claim. Means and paired differences have
   Student t intervals: the percentile bootstrap of 3-10 seeds covers only 77-90 % at nominal 95 %.
10. Across environments (`across`): scores (accuracy - chance) / (supervised's mean on the same
   seeds - chance); interquartile mean of all runs pooled, never within one environment;
   probability of improvement; share of runs above a score. Bootstrap by environment that draws
   seeds jointly for all agents, stretched by sqrt(n / (n - 1)), and widened where that does not
   hold (see `pooled`).
11. Claims are declared before the runs (`claims`) and Holm-corrected; "within x" = the interval of
   the paired difference lies inside x, and on no seed both diverged. All else is descriptive.
12. Beside each figure: environment steps, presentations, forward passes, multiply-adds, seconds,
   censored and diverged counts.
"""
